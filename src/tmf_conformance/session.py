"""One run against one server: what checks use to create, read and change resources, and what the run leaves behind.

Promise: what a check needs first, and cannot have, ends it as `not run`; so a defect of the server fails the check of
its own rule and no other. Everything that was created is known, and removed at the end.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from tmf_conformance.api import Api
from tmf_conformance.http.client import Client
from tmf_conformance.interaction import Answer, Document, Exchange
from tmf_conformance.http.links import path_of
from tmf_conformance.http.listener import Listener
from tmf_conformance.response_types import ReadingTypes
from tmf_conformance.check import NoAnswer, NotRun

SILENCES = 3  # requests in a row without an answer, after which nobody waits for more
MERGE = "application/merge-patch+json"
# A name that nobody can have (RFC 6761, 6.4): nothing is ever delivered there.
NOWHERE = "http://listener.invalid"


@dataclass(slots=True)
class Left:
    """What the run created and has not removed: URL -> how often it was created (versions count)."""

    urls: Counter[str] = field(default_factory=Counter)
    unknown: int = 0  # creations without an answer


class Session:
    """The mark is in what the run creates, so that people and filters can tell it from everything else."""

    def __init__(
        self,
        api: Api,
        client: Client,
        types: ReadingTypes,
        sample: Mapping[str, Any] | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.api = api
        self.client = client
        self.types = types
        self.listener = listener
        self.mark = f"conformance-{secrets.token_hex(4)}"
        self.left = Left()
        self.silences = 0  # requests in a row that got no answer
        self.last: Exchange | None = None
        self._shared: set[str] = set()  # what later checks read too
        self._sample = dict(sample or {})
        self._serial = 0

    # Requests -----------------------------------------------------------------------------------------------------

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: str | None = None,
    ) -> Answer:
        creates = method == "POST" and path.partition("?")[0] in (self.api.path, "/hub")
        try:
            answer = self.client.send(method, path, body, headers=headers, raw=raw)
        except NoAnswer as silence:
            self.silences += 1
            self.last = silence.exchange
            self.left.unknown += creates
            raise
        except KeyboardInterrupt:
            self.left.unknown += creates
            raise
        self.silences = 0
        self.last = answer.exchange
        self._account(method, path, answer)
        return answer

    def post(self, body: Any, query: str = "") -> Answer:
        return self.send("POST", f"{self.api.path}{query}", body)

    def get(self, id: str, query: str = "") -> Answer:
        return self.send("GET", f"{self.at(id)}{query}")

    def patch(self, id: str, change: Any, media_type: str = MERGE) -> Answer:
        return self.send("PATCH", self.at(id), change, headers={"Content-Type": media_type})

    def delete(self, id: str) -> Answer:
        return self.send("DELETE", self.at(id))

    def search(self, query: Mapping[str, str] | str = "") -> Answer:
        text = (
            query if isinstance(query, str) else "&".join(f"{name}={encoded(value)}" for name, value in query.items())
        )
        return self.send("GET", f"{self.api.path}?{text}" if text else self.api.path)

    def at(self, id: str) -> str:
        return f"{self.api.path}/{encoded(id)}"

    def new_text(self) -> str:
        """A text that is nowhere else."""
        self._serial += 1
        return f"{self.mark}-{self._serial}"

    # What a check needs first --------------------------------------------------------------------------------------

    def minimal(self, **members: Any) -> Document:
        return self.api.minimal() | {"description": self.new_text()} | self._sample | members

    def body(self, variant: int = 0) -> Document:
        return self.api.body(self.new_text(), variant) | self._sample

    def new_value(self, name: str) -> Any:
        """Another value for an attribute; items are those of the sample, which the server knows to take."""
        value, sampled = self.api.patchable[name], self._sample.get(name)
        if name == "quoteItem" and isinstance(sampled, list):
            return [element | {"action": "modify"} for element in sampled]
        return value

    def create(self, body: Document | None = None) -> Document:
        """The document that the server answered, with its id, which may be only in Location."""
        answer = self.post(body if body is not None else self.minimal())
        id = id_of(answer)
        if not answer.is_success or id is None:
            raise NotRun(f"no {self.api.resource} could be created for this check", answer.exchange)
        return (answer.value if isinstance(answer.value, dict) else {}) | {"id": id}

    @cached_property
    def _creates(self) -> bool:
        return self.post(self.minimal()).is_success

    def must_create(self) -> None:
        """What a server does with one kind of creation says nothing where it creates nothing at all."""
        if not self._creates:
            raise NotRun(f"no {self.api.resource} can be created at all", self.last)

    def post_special(self, body: Document) -> Answer:
        """A creation whose outcome the check is about, on a server that creates plain resources."""
        self.must_create()
        return self.post(body)

    def created(self, **members: Any) -> str:
        """The id of a new resource."""
        return str(self.create(self.minimal(**members))["id"])

    def read(self, id: str) -> Document:
        answer = self.get(id)
        if not answer.is_success or not isinstance(answer.value, dict):
            raise NotRun(f"the {self.api.resource} could not be read for this check", answer.exchange)
        return answer.value

    def must_change(self, id: str, change: Document) -> Answer:
        answer = self.patch(id, change)
        if not answer.is_success:
            raise NotRun(f"the {self.api.resource} could not be changed for this check", answer.exchange)
        return answer

    def in_state(self, state: str, **members: Any) -> str:
        """The id of a new resource that was brought into this state."""
        id = self.created(**members)
        for step in self.api.route_to(state):
            answer = self.patch(id, {self.api.state: step})
            if not answer.is_success:
                raise NotRun(f"no {self.api.resource} could be brought into the state {state}", answer.exchange)
        if self.read(id).get(self.api.state) != state:
            raise NotRun(f"no {self.api.resource} could be brought into the state {state}", self.last)
        return id

    def found(self, query: Mapping[str, str] | str) -> list[Document]:
        answer = self.search(query)
        if not answer.is_success or not isinstance(answer.value, list):
            raise NotRun("the list that this check looks at could not be had", answer.exchange)
        return [each for each in answer.value if isinstance(each, dict)]

    @cached_property
    def pair(self) -> tuple[Document, Document]:
        """Two resources that differ in every attribute, as they were sent, with their ids. They are only read."""
        first, second = (body | {"id": self.create(body)["id"]} for body in (self.body(0), self.body(1)))
        self.keep(self.at(first["id"]), self.at(second["id"]))
        return first, second

    @cached_property
    def pair_read(self) -> tuple[Document, Document]:
        """The two as the server has them, which may have lost something of them."""
        first, second = (self.read(str(sent["id"])) for sent in self.pair)
        return first, second

    @cached_property
    def group(self) -> tuple[str, list[str]]:
        """The text that four resources share, and their ids in the order of their own text, 1 2 2 3."""
        name, other = self.new_text(), self.api.other_text
        places = (("2", "b"), ("1", "a"), ("3", "c"), ("2", "d"))
        members = [
            {self.api.group: name, self.api.text: f"{name} {place}", other: f"{name} {second}"}
            for place, second in places
        ]
        ids = [self.created(**each) for each in members]
        self.keep(*map(self.at, ids))
        return name, [ids[1], *sorted((ids[0], ids[3])), ids[2]]

    def in_group(self, query: str = "") -> str:
        return f"{self.api.group}={encoded(self.group[0])}{'&' if query else ''}{query}"

    # What is left --------------------------------------------------------------------------------------------------

    def hub(self, body: Any) -> Answer:
        return self.send("POST", "/hub", body)

    def _account(self, method: str, path: str, answer: Answer) -> None:
        """Know what there is now that was not there before, or is no longer."""
        plain = path.partition("?")[0]
        if method == "POST" and answer.is_success and plain in (self.api.path, "/hub"):
            if (id := id_of(answer)) is not None:
                self.left.urls[f"{plain}/{encoded(id)}"] += 1
        elif method == "DELETE" and plain in self.left.urls:
            self.left.urls[plain] -= answer.is_success
            if self.left.urls[plain] <= 0 or answer.status in (404, 410):
                del self.left.urls[plain]

    def keep(self, *urls: str) -> None:
        """Later checks look at these too; they go at the end."""
        self._shared.update(urls)

    def tidy(self) -> None:
        """Remove what the last check created, so that a run is never more than a few resources on a server."""
        for url, times in list(self.left.urls.items()):
            if url not in self._shared and self.silences == 0:
                if self._removed(url, times):
                    del self.left.urls[url]
                else:
                    self._shared.add(url)  # once more at the end

    def clean_up(self) -> list[str]:
        """Remove everything that was created; says what could not be removed."""
        self.silences = 0
        remaining = [
            f"{self.client.base}{url}"
            for url, times in self.left.urls.most_common()
            if self.silences >= SILENCES or not self._removed(url, times)
        ]
        self.left.urls.clear()
        if self.left.unknown:
            remaining.append(f"possibly {self.left.unknown} whose creation got no answer; {self.mark} is in their text")
        return remaining

    def _removed(self, url: str, times: int) -> bool:
        """Gone, or asked for as often as it was created: where a DELETE removes one version, all have to go."""
        answer = None
        for _ in range(times):
            try:
                answer = self.client.send("DELETE", url)
            except NoAnswer:
                self.silences += 1
                return False
            self.silences = 0
            if not answer.is_success:
                break
        return answer is not None and (answer.is_success or answer.status in (404, 410))


def encoded(text: str) -> str:
    return quote(str(text), safe="", errors="replace")


def id_of(answer: Answer) -> str | None:
    """The id of what was created: in the body, or as the last part of Location."""
    if isinstance(answer.value, dict) and isinstance(answer.value.get("id"), str) and answer.value["id"]:
        return str(answer.value["id"])
    location = path_of(answer.headers.get("location")).rstrip("/")
    return unquote(location.rpartition("/")[2]) or None
