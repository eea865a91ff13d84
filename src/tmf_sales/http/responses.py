"""Writes responses to the ASGI server, and turns every exception into a TMF Error body.

Guarantee: every failure gives a TMF Error as application/json (TMF630 part 1), or the same facts as
application/problem+json (RFC 9457) if the client prefers it. Neither has a stack trace, library messages or parts of
the body. Unexpected exceptions go to the log with their traceback.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

import orjson
from connexion.exceptions import ProblemException
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from starlette.exceptions import HTTPException

from tmf_sales.contract.loader import Contract
from tmf_sales.engine.request import Body
from tmf_sales.errors import (
    BadRequest,
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NoSuchRoute,
    TmfError,
    Unauthenticated,
    UnsupportedMediaType,
)
from tmf_sales.http.negotiation import PROBLEM, prefers_problem

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
ErrorHandler = Callable[[ConnexionRequest, Exception], Awaitable[ConnexionResponse]]

log = logging.getLogger("tmf_sales")

CHALLENGE = 'Bearer realm="tmf-api"'
LARGE = 128 * 1024  # bytes; larger bodies are sent in pieces
PIECE = 64 * 1024
PAGE_METHODS = ("GET", "HEAD")
WITHOUT_CONTENT = frozenset({204, 304})  # they have no Content-Length either (RFC 9110, 8.6)
ERROR = "tmf_sales.error"  # in the extensions of a request's scope: the TMF Error that it got
JSON_TYPE = (b"content-type", b"application/json")
PROBLEM_TYPE = (b"content-type", PROBLEM.encode())

_BY_STATUS: dict[int, tuple[type[TmfError], str]] = {
    400: (BadRequest, "The request could not be read"),
    401: (Unauthenticated, "Authorization: expected a credential that the service accepts"),
    403: (Forbidden, "The credential does not carry the scope that the operation needs"),
    404: (NoSuchRoute, "No operation has this path"),
    405: (MethodNotAllowed, "Allow lists the methods of this path"),
    415: (UnsupportedMediaType, "Content-Type: expected one that the operation takes"),
}


def as_tmf_error(error: BaseException) -> TmfError:
    """Return the TMF Error for an exception; log unexpected ones and return InternalError."""
    if isinstance(error, TmfError):
        return error
    status = error.status if isinstance(error, ProblemException) else getattr(error, "status_code", None)
    if isinstance(error, HTTPException | ProblemException) and status in _BY_STATUS:
        kind, message = _BY_STATUS[status]
        challenge = {"WWW-Authenticate": CHALLENGE} if kind is Unauthenticated else {}
        return kind(message, challenge | dict(error.headers or {}))
    log.error("unexpected %s", type(error).__name__, exc_info=error)
    return InternalError("An unexpected error occurred; the log of the service has its cause")


class Errors:
    """Makes the TMF Error for an exception that a request raised."""

    def __init__(self, apis: Sequence[Contract]) -> None:
        self._apis = apis

    def made_of(self, raised: Exception, scope: Message) -> TmfError:
        error = as_tmf_error(raised)
        if isinstance(error, MethodNotAllowed):
            # Starlette's Allow header has only the methods of the first route with this path.
            return MethodNotAllowed.among(scope["method"], _methods_at(self._apis, scope["path"]))
        return error


def error_handlers(apis: Sequence[Contract]) -> list[tuple[type[Exception], ErrorHandler]]:
    """Error handlers for stock Connexion, which turn any exception into a response with a TMF Error."""
    errors = Errors(apis)

    async def answer(request: ConnexionRequest, raised: Exception) -> ConnexionResponse:
        error = errors.made_of(raised, request.scope)
        is_problem = prefers_problem(request.scope["headers"])
        return ConnexionResponse(
            status_code=int(error.status),
            mimetype=PROBLEM if is_problem else "application/json",
            body=orjson.dumps(error.problem() if is_problem else error.body()),
            headers=error.headers,
        )

    return [(kind, answer) for kind in (ProblemException, HTTPException, Exception)]


def _methods_at(apis: Sequence[Contract], path: str) -> Sequence[str]:
    for api in apis:
        if path.startswith(f"{api.base_path}/"):
            return api.methods_at(path.removeprefix(api.base_path)) or PAGE_METHODS
    return PAGE_METHODS


def large_size(start: Message) -> int:
    """The Content-Length of a response, or 0 when it has none; send_response writes it last."""
    for name, value in reversed(start["headers"]):
        if name == b"content-length":
            return int(value)
    return 0


async def send_response(
    send: Send,
    status: int,
    body: Body,
    headers: Iterable[tuple[bytes, bytes]],
    *,
    head: bool = False,
    media_type: tuple[bytes, bytes] = JSON_TYPE,
) -> None:
    """Send one response. A response to HEAD has the headers of the GET and no body (RFC 9110, 9.3.2).

    Large bodies are sent in pieces, as fast as the client reads, so that neither a joined list nor the server's buffer
    ever holds the whole body.
    """
    size = len(body) if isinstance(body, bytes) else sum(map(len, body))
    sent = [*headers]
    if size:
        sent.append(media_type)
    if status not in WITHOUT_CONTENT:
        sent.append((b"content-length", b"%d" % size))
    await send({"type": "http.response.start", "status": status, "headers": sent})
    if head:
        await send({"type": "http.response.body", "body": b""})
    elif size > LARGE:
        for piece in pieces(body):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        whole = body if isinstance(body, bytes) else b"".join(body)
        await send({"type": "http.response.body", "body": whole})


def pieces(body: Body) -> Iterator[bytes]:
    """Split the body into pieces of about `PIECE` bytes."""
    collected, size = [], 0
    for part in [body] if isinstance(body, bytes) else body:
        for begin in range(0, len(part), PIECE):
            collected.append(part[begin : begin + PIECE] if len(part) > PIECE else part)
            size += len(collected[-1])
            if size >= PIECE:
                yield b"".join(collected)
                collected, size = [], 0
    if collected:
        yield b"".join(collected)


async def send_error(send: Send, error: TmfError, scope: Message) -> None:
    scope.setdefault("extensions", {})[ERROR] = error
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in error.headers.items()]
    if isinstance(error, Unauthenticated) and "WWW-Authenticate" not in error.headers:
        headers.append((b"www-authenticate", CHALLENGE.encode()))
    is_problem = prefers_problem(scope["headers"])
    await send_response(
        send,
        int(error.status),
        orjson.dumps(error.problem() if is_problem else error.body()),
        headers,
        head=scope["method"] == "HEAD",
        media_type=PROBLEM_TYPE if is_problem else JSON_TYPE,
    )
