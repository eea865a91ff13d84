"""One HTTP request with its response, as the reports print them.

Guarantee: credentials that the user passed never appear in the printed text, even if a server repeats them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SHOWN = 4000  # characters of a body in a report
HIDDEN = "(not shown)"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Texts that no report may contain."""

    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Secrets:
        """The values of these headers and each long word in them, so that a token is also hidden without `Bearer`."""
        found = {part for value in headers.values() for part in (value, *value.split()) if len(part) >= 4}
        return cls(tuple(sorted(found, key=len, reverse=True)))

    def hide(self, text: str) -> str:
        for secret in self.texts:
            text = text.replace(secret, HIDDEN)
            text = text.replace(json.dumps(secret)[1:-1], HIDDEN)
        return text


@dataclass(slots=True)
class Interaction:
    """`status` is 0 until a response arrives; `problem` says why none did."""

    method: str
    url: str
    request_headers: Sequence[tuple[str, str]]
    request_body: str
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    problem: str = ""

    def request_text(self) -> str:
        head = [f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.request_headers)]
        return self.secrets.hide("\n".join(head) + body_text(self.request_body))

    def response_text(self) -> str:
        if self.problem:
            return self.secrets.hide(self.problem)
        head = [str(self.status), *(f"{name}: {value}" for name, value in self.headers.items())]
        return self.secrets.hide("\n".join(head) + body_text(self.content.decode("utf-8", "replace")))


def body_text(text: str) -> str:
    if not text:
        return ""
    shortened = text if len(text) <= SHOWN else f"{text[:SHOWN]}\n... {len(text) - SHOWN} more characters"
    return f"\n\n{shortened}"
