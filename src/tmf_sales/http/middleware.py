"""The outermost ASGI middleware, before Connexion's: applies the checks and limits that every operation shares.

Guarantee: each request has a deadline, each worker a maximum of concurrent requests. A service on loopback rejects
foreign Host headers. A trailing slash names the same resource. An Accept header that excludes JSON is rejected. Every
failure gets a TMF Error, as elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from tmf_sales.errors import BodyCutOff, BodyTooLarge, NoSuchRoute, TmfError, Unavailable
from tmf_sales.http.bounds import App, BoundedRequest, Bounds, Receive, Scope
from tmf_sales.http.fields import fields_of
from tmf_sales.http.hosts import ServedHosts
from tmf_sales.http.negotiation import prefers_stream, reject_other_than_json
from tmf_sales.http.responses import Errors, Send, send_error
from tmf_sales.http.streaming import STREAM_ENDS

__all__ = ["App", "EntryMiddleware", "Receive", "Scope", "read_body"]


class EntryMiddleware:
    """Wraps the API. `probes` serves its paths (/live, /ready, ...) without limits, `bounded` its paths (/audit) with.

    `trees` serves everything at and below its paths (/console) without limits, too. `options` answers every OPTIONS
    request. `base_paths` are those of the APIs; below them, everything but /ui responds with JSON. `hosts` is None when
    any Host is served.
    """

    def __init__(
        self,
        app: App,
        probes: Mapping[str, App],
        bounded: Mapping[str, App],
        *,
        options: App,
        base_paths: Iterable[str],
        errors: Errors,
        bounds: Bounds,
        hosts: ServedHosts | None = None,
        streams: Iterable[str] = (),
        max_streams: int = 0,
        trees: Mapping[str, App] | None = None,
    ) -> None:
        self._app = app
        self._probes = probes
        self._bounded = bounded
        self._options = options
        roots = tuple(base_paths)
        self._api_prefixes = tuple(f"{root}/" for root in roots)
        self._roots = frozenset({*roots, *self._api_prefixes})
        self._pages = tuple(f"{root}/ui" for root in roots)
        self._errors = errors
        self._bounds = bounds
        self._hosts = hosts
        self._streams = frozenset(each for path in streams for each in (path, f"{path}/"))
        self._free_streams = max_streams
        self._trees = dict(trees or {})
        self._tree_roots = tuple(self._trees)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        try:
            if self._hosts is not None:
                self._hosts.reject_other(scope)
            if scope["method"] == "OPTIONS":
                await self._options(scope, receive, send)
                return
            if (probe := self._unlimited(path)) is not None:
                await probe(scope, receive, send)
                return
            if path in self._streams and prefers_stream(scope["headers"]):
                await self._stream(scope, receive, send)
                return
            request = BoundedRequest(self._bounds, receive, send)
        except TmfError as error:
            await send_error(send, error, scope)
            return
        try:
            self._prepare(scope)
            await request.run(self._bounded.get(path, self._app), scope)
        except Exception as raised:  # the client always gets a response; unexpected errors are logged
            answered = self._errors.made_of(raised, scope)
            if request.started:
                raise
            # The traceback's frames hold documents; together with this frame they would form a reference cycle.
            await send_error(send, answered.with_traceback(None), scope)
        finally:
            request.end()

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an event stream: it has a slot of its own and no deadline; the number of streams is bounded."""
        if self._free_streams <= 0:
            await send_error(send, Unavailable("Too many event streams are open"), scope)
            return
        scope[STREAM_ENDS] = asyncio.Event()
        self._free_streams -= 1
        started = False

        async def watched_send(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            _drop_trailing_slash(scope)
            await self._app(scope, receive, watched_send)
        except Exception as raised:  # noqa: BLE001  as for every other request
            error = self._errors.made_of(raised, scope)
            if started:  # the client reconnects and names the last event it received
                await send({"type": "http.response.body", "body": b""})
            else:
                await send_error(send, error, scope)
        finally:
            self._free_streams += 1

    def _unlimited(self, path: str) -> App | None:
        found = self._probes.get(path)
        if found is None and path.startswith(self._tree_roots):
            return self._trees.get(f"/{path[1:].partition('/')[0]}")
        return found

    def _prepare(self, scope: Scope) -> None:
        path: str = scope["path"]
        if path in self._roots:
            # Connexion's routing would redirect back and forth, to the host that the Host header names.
            raise NoSuchRoute("No operation has the base path of the API alone")
        if path.startswith(self._api_prefixes) and not path.startswith(self._pages):
            if path[-1] == "/":
                _drop_trailing_slash(scope)
            reject_other_than_json(scope)


def _drop_trailing_slash(scope: Scope) -> None:
    """Keep a slash that was sent as %2F: it is part of the name before it, and no name has a slash."""
    if scope["path"].endswith("/") and (scope.get("raw_path") or b"/").endswith(b"/"):
        scope["path"] = scope["path"][:-1]
        scope["raw_path"] = (scope.get("raw_path") or b"").removesuffix(b"/")
    if scope["path"].endswith("/"):  # Connexion's routing would redirect to the host in the Host header
        raise NoSuchRoute("No operation has this path")


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Read the whole body; raise BodyTooLarge, or BodyCutOff when the client disconnects before its end."""
    length = fields_of(scope).get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > limit:
        raise _too_large(limit)
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyCutOff("The client went away before the end of the body")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"expected at most {limit} bytes", {"Connection": "close"})
