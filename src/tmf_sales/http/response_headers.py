"""Adds security headers to every response: no content sniffing, no caching of responses to authenticated requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]

CREDENTIALS = frozenset({b"authorization", b"x-api-key"})
NOSNIFF = (b"x-content-type-options", b"nosniff")
PRIVATE = (b"cache-control", b"private, no-store")


class ResponseHeaders:
    """Wraps an ASGI application."""

    def __init__(self, app: Callable[[Any, Any, Any], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_private = any(name in CREDENTIALS for name, _ in scope["headers"])

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = protected(message.get("headers", ()), is_private=is_private)
            await send(message)

        await self._app(scope, receive, send_protected)


def protected(headers: Any, *, is_private: bool) -> list[tuple[bytes, bytes]]:
    """Add the missing headers; a response to a request with a credential is never cacheable, whatever it says."""
    given = {name.lower(): value for name, value in headers}
    kept = list(headers)
    if b"x-content-type-options" not in given:
        kept.append(NOSNIFF)
    if is_private and b"no-store" not in given.get(b"cache-control", b""):
        kept = [header for header in kept if header[0].lower() != b"cache-control"]
        kept.append(PRIVATE)
    return kept
