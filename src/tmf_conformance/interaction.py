"""One request and its answer: what checks look at, and what reports show of it.

Promise: nothing that was given as a credential is in an exchange, in whatever place a server may repeat it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn

from tmf_conformance.check import Failed

SHOWN = 4000  # characters of a body in a report
HIDDEN = "(not shown)"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Secrets:
    """Texts that no report may have."""

    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Secrets:
        """The values of these headers, and each long word of them: a token without its `Bearer` is one still."""
        found = {part for value in headers.values() for part in (value, *value.split()) if len(part) >= 4}
        return cls(tuple(sorted(found, key=len, reverse=True)))

    def hidden_in(self, text: str) -> str:
        for secret in self.texts:
            text = text.replace(secret, HIDDEN)
            text = text.replace(json.dumps(secret)[1:-1], HIDDEN)
        return text


@dataclass(slots=True)
class Exchange:
    """`status` is 0 as long as there is no answer; then `problem` may say why there is none."""

    method: str
    url: str
    request_headers: Sequence[tuple[str, str]]
    request_body: str
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    problem: str = ""

    def shown_request(self) -> str:
        head = [f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.request_headers)]
        return self.secrets.hidden_in("\n".join(head) + body_of(self.request_body))

    def shown_response(self) -> str:
        if self.problem:
            return self.secrets.hidden_in(self.problem)
        head = [str(self.status), *(f"{name}: {value}" for name, value in self.headers.items())]
        return self.secrets.hidden_in("\n".join(head) + body_of(self.content.decode("utf-8", "replace")))


def body_of(text: str) -> str:
    if not text:
        return ""
    cut = text if len(text) <= SHOWN else f"{text[:SHOWN]}\n... {len(text) - SHOWN} more characters"
    return f"\n\n{cut}"


class Answer:
    """What came back; looking for what is not there fails the check with a sentence, never with an exception."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.status = exchange.status
        self.headers = exchange.headers

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_refused(self) -> bool:
        """The server understood and says no; not: who are you, you may not, there is no such thing, slow down."""
        return 400 <= self.status < 500 and self.status not in {401, 403, 404, 405, 415, 429}

    @property
    def does_not_know(self) -> bool:
        """The server says that it does not do such things."""
        return 400 <= self.status < 500 or self.status == 501

    @cached_property
    def value(self) -> Any:
        """The body as JSON, whatever Content-Type says; None when it is none."""
        try:
            return json.loads(self.exchange.content)
        except (ValueError, RecursionError):
            return None

    def object(self) -> Document:
        if not isinstance(self.value, dict):
            self.fail("the body is a JSON object")
        return self.value

    def objects(self) -> list[Document]:
        if not isinstance(self.value, list) or not all(isinstance(each, dict) for each in self.value):
            self.fail("the body is a JSON array of objects")
        return self.value

    def fail(self, expected: str) -> NoReturn:
        raise Failed(expected, self.exchange)

    def expect(self, holds: bool, expected: str) -> None:
        if not holds:
            self.fail(expected)

    def expect_status(self, *statuses: int) -> None:
        self.expect(self.status in statuses, f"status {' or '.join(map(str, statuses))}")

    def expect_success(self) -> None:
        self.expect(self.is_success, "a status of success (2xx)")
