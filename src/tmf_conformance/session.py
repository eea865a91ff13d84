"""One run against one server: lets checks create, read and change resources.

A check whose precondition fails ends as `not run`, so that a defect of the server only fails the check of the rule that
it breaks. The session records everything that it creates, and removes it at the end.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from tmf_conformance.api import Api, Document
from tmf_conformance.comparison import missing
from tmf_conformance.http.client import Client
from tmf_conformance.http.links import encoded, path_of
from tmf_conformance.http.listener import Listener
from tmf_conformance.http.response import Response
from tmf_conformance.interaction import Interaction
from tmf_conformance.leftovers import Leftovers
from tmf_conformance.outcome import NoResponse, NotRun
from tmf_conformance.response_types import ResponseTypes

MOST_UNANSWERED = 3  # requests in a row without a response, after which the run stops waiting
MERGE = "application/merge-patch+json"
# A reserved name that never resolves (RFC 6761, 6.4), so that nothing is delivered there.
NOWHERE = "http://listener.invalid"


class Session:
    """The session. Everything that the run creates contains `mark`, so that people and filters can recognize it."""

    def __init__(
        self,
        api: Api,
        client: Client,
        types: ResponseTypes,
        sample: Mapping[str, Any] | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.api = api
        self.client = client
        self.types = types
        self.listener = listener
        self.sample = dict(sample or {})
        self.mark = f"conformance-{secrets.token_hex(4)}"
        self.leftovers = Leftovers(lambda method, path: client.send(method, path))
        self.unanswered = 0  # requests in a row without a response
        self.last: Interaction | None = None
        self.rejects_values = False  # whether the server rejected the values of a creation, so that a check was not run
        self._shared: set[str] = set()  # paths that later checks read too
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
    ) -> Response:
        creates = method == "POST" and path.partition("?")[0] in (self.api.path, "/hub")
        try:
            response = self.client.send(method, path, body, headers=headers, raw=raw)
        except NoResponse as failure:
            self.unanswered += 1
            self.last = failure.interaction
            self.leftovers.unanswered += creates
            raise
        except KeyboardInterrupt:
            self.leftovers.unanswered += creates
            raise
        self.unanswered = 0
        self.last = response.interaction
        self._record(method, path, body, response)
        return response

    def _record(self, method: str, path: str, body: Any, response: Response) -> None:
        plain = path.partition("?")[0]
        if method == "POST" and response.is_success and plain in (self.api.path, "/hub"):
            if (id := id_of(response)) is not None:
                members = (body if isinstance(body, dict) else {}) | (
                    response.value if isinstance(response.value, dict) else {}
                )
                self.leftovers.add(f"{plain}/{encoded(id)}", members)
        elif method == "DELETE" and (response.is_success or response.is_gone):
            self.leftovers.mark_deleted(plain)

    def post(self, body: Any, query: str = "") -> Response:
        return self.send("POST", f"{self.api.path}{query}", body)

    def get(self, id: str, query: str = "") -> Response:
        return self.send("GET", f"{self.resource_path(id)}{query}")

    def patch(self, id: str, change: Any, media_type: str = MERGE) -> Response:
        return self.send("PATCH", self.resource_path(id), change, headers={"Content-Type": media_type})

    def delete(self, id: str) -> Response:
        return self.send("DELETE", self.resource_path(id))

    def hub(self, body: Any) -> Response:
        return self.send("POST", "/hub", body)

    def search(self, query: Mapping[str, str] | str = "") -> Response:
        text = (
            query if isinstance(query, str) else "&".join(f"{name}={encoded(value)}" for name, value in query.items())
        )
        return self.send("GET", f"{self.api.path}?{text}" if text else self.api.path)

    def resource_path(self, id: str) -> str:
        return f"{self.api.path}/{encoded(id)}"

    def new_text(self) -> str:
        """A unique text."""
        self._serial += 1
        return f"{self.mark}-{self._serial}"

    # Preconditions of checks ----------------------------------------------------------------------------------------

    def minimal(self, **members: Any) -> Document:
        return self.api.minimal() | {"description": self.new_text()} | self.sample | members

    def body(self, variant: int = 0) -> Document:
        return self.api.body(self.new_text(), variant) | self.sample

    def not_created(self, response: Response, what: str) -> NotRun:
        """Describe a failed creation; advise the user if the server may have rejected its values."""
        reason = f"no {self.api.resource} {what} could be created ({response.status})".replace("  ", " ")
        if 400 <= response.status < 500 and response.status not in {401, 403, 405, 415, 429}:
            self.rejects_values = True
            reason += "; if the server accepts other values only, pass them with --sample FILE"
        return NotRun(reason, response.interaction)

    def create(self, body: Document | None = None) -> Document:
        """Create a resource; return the response's document with the id, which may only be in Location."""
        response = self.post(body if body is not None else self.minimal())
        id = id_of(response)
        if not response.is_success or id is None:
            raise self.not_created(response, "for this check")
        return (response.value if isinstance(response.value, dict) else {}) | {"id": id}

    @cached_property
    def plain_creation(self) -> Response:
        """The response to a plain creation, for comparison with other creations."""
        return self.post(self.minimal())

    def post_variant(self, body: Document) -> Response:
        """Send the creation that a check judges; raise NotRun when plain creations fail too."""
        if not self.plain_creation.is_success:
            raise self.not_created(self.plain_creation, "at all")
        return self.post_and_read(body)

    def post_and_read(self, body: Document) -> Response:
        """Send a creation, and a GET when its response has no body."""
        response = self.post(body)
        if response.is_success and response.is_empty and (id := id_of(response)) is not None:
            response.read_back = self.get(id)
        return response

    def created(self, **members: Any) -> str:
        """Create a resource; return its id."""
        return str(self.create(self.minimal(**members))["id"])

    def stored(self, **members: Any) -> str:
        """Create a resource and check that the server stored its members; return its id."""
        id = self.created(**members)
        if lost := missing(members, self.read(id)):
            raise NotRun(f"the server does not keep what was sent at creation: {', '.join(lost)}", self.last)
        return id

    def read(self, id: str) -> Document:
        response = self.get(id)
        if not response.is_success or not isinstance(response.value, dict):
            raise NotRun(f"the {self.api.resource} could not be read for this check", response.interaction)
        return response.value

    def must_change(self, id: str, change: Document) -> Response:
        response = self.patch(id, change)
        if not response.is_success:
            raise NotRun(f"the {self.api.resource} could not be changed for this check", response.interaction)
        return response

    def in_state(self, state: str, **members: Any) -> str:
        """Create a resource and bring it into this state; return its id."""
        id = self.created(**members)
        for step in self.api.route_to(state):
            response = self.patch(id, {self.api.state: step})
            if not response.is_success:
                raise NotRun(f"no {self.api.resource} could be brought into the state {state}", response.interaction)
        if self.read(id).get(self.api.state) != state:
            raise NotRun(f"no {self.api.resource} could be brought into the state {state}", self.last)
        return id

    def found(self, query: Mapping[str, str] | str) -> list[Document]:
        response = self.search(query)
        if not response.is_success or not isinstance(response.value, list):
            raise NotRun("the list that this check needs could not be read", response.interaction)
        return [each for each in response.value if isinstance(each, dict)]

    @cached_property
    def pair(self) -> tuple[Document, Document]:
        """Two resources as sent, with their ids; they differ in every attribute, and checks only read them."""
        first, second = (body | {"id": self.create(body)["id"]} for body in (self.body(0), self.body(1)))
        self.keep(self.resource_path(first["id"]), self.resource_path(second["id"]))
        return first, second

    @cached_property
    def pair_read(self) -> tuple[Document, Document]:
        """The pair as the server returns it; attributes may be missing."""
        first, second = (self.read(str(sent["id"])) for sent in self.pair)
        return first, second

    @cached_property
    def group(self) -> tuple[str, list[str]]:
        """The text that four resources share, and their ids ordered by their own text: 1 2 2 3."""
        name, other = self.new_text(), self.api.other_text
        places = (("2", "b"), ("1", "a"), ("3", "c"), ("2", "d"))
        members = [
            {self.api.group: name, self.api.text: f"{name} {place}", other: f"{name} {second}"}
            for place, second in places
        ]
        ids = [self.created(**each) for each in members]
        self.keep(*map(self.resource_path, ids))
        return name, [ids[1], *sorted((ids[0], ids[3])), ids[2]]

    def in_group(self, query: str = "") -> str:
        return f"{self.api.group}={encoded(self.group[0])}{'&' if query else ''}{query}"

    # Removal -------------------------------------------------------------------------------------------------------

    def keep(self, *paths: str) -> None:
        """Keep these paths for later checks, and remove them at the end."""
        self._shared.update(paths)

    def tidy(self) -> None:
        """Remove what the last check created, so that a run never keeps more than a few resources on a server."""
        for path in [each for each in self.leftovers.paths if each not in self._shared]:
            if self.unanswered == 0 and not self._removed(path):
                self._shared.add(path)  # try again at the end

    def clean_up(self) -> list[str]:
        """Remove everything that was created; returns what could not be removed."""
        self.unanswered = 0
        for path in list(self.leftovers.paths):
            if self.unanswered < MOST_UNANSWERED:
                self._removed(path)
        return self.remaining()

    def remaining(self) -> list[str]:
        found = [f"{self.client.base}{path}" for path in self.leftovers.paths]
        if self.leftovers.unanswered:
            found.append(f"possibly {self.leftovers.unanswered} whose creation got no response; search for {self.mark}")
        return found

    def _removed(self, path: str) -> bool:
        try:
            removed = self.leftovers.remove(path)
        except NoResponse:
            self.unanswered += 1
            return False
        self.unanswered = 0
        return removed


def id_of(response: Response) -> str | None:
    """The id of the created resource: from the body, or the last part of Location."""
    if isinstance(response.value, dict) and isinstance(response.value.get("id"), str) and response.value["id"]:
        return str(response.value["id"])
    location = path_of(response.headers.get("location")).rstrip("/")
    return unquote(location.rpartition("/")[2]) or None
