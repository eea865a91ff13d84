"""Defines the requests and responses of handlers, independent of any framework; both HTTP stacks use them.

The body of a Request is already validated against the contract; headers and query are as the client sent them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tmf_sales.access import ANONYMOUS_ADMIN, FULL_ACCESS, Access, Principal

EVENT_STREAM = b"text/event-stream"


@dataclass(slots=True)
class Request:
    """One call of one operation. `raw_query` is not decoded; `public_url` has no slash at its end.

    `headers`: by lower-case name, the lines of a repeated one joined by commas (RFC 9110, 5.3).
    `wants_stream`: the client prefers an event stream where the operation offers one.
    `traceparent`: the trace that a change belongs to (W3C Trace Context).
    `access`: what the policy grants the principal in this operation; without authentication every caller is an admin.
    `body_size`: the length of the body as sent.
    """

    operation_id: str
    method: str
    path_parameters: Mapping[str, str]
    raw_query: str
    headers: Mapping[bytes, bytes]
    public_url: str
    correlation_id: str
    principal: Principal = ANONYMOUS_ADMIN
    access: Access = FULL_ACCESS
    body: Any = None
    media_type: str = ""
    body_size: int = 0
    wants_stream: bool = False
    traceparent: str | None = None

    def header(self, name: bytes) -> str | None:
        """The value of a header given by its lower-case name."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


Body = bytes | Sequence[bytes]


@dataclass(slots=True)
class Response:
    """A response: headers and JSON (empty for none), as one text or as consecutive parts.

    The HTTP side adds the headers that every response has.
    """

    status: int
    body: Body = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def text(self) -> bytes:
        """The whole body."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)


@dataclass(slots=True)
class StreamedResponse(Response):
    """A response whose body is sent while it is produced, until the client leaves.

    The sender closes `chunks` at the end and calls `release` once, however it ends and even when nothing was sent: a
    generator that was never started runs no cleanup of its own.
    """

    chunks: AsyncGenerator[bytes, None] = field(kw_only=True)
    release: Callable[[], None] = field(kw_only=True)


Handler = Callable[[Request], Awaitable[Response]]
