"""Serves JSON documents at paths outside the contracts: GET and HEAD, with errors as TMF Errors, never cached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from tmf_sales.errors import MethodNotAllowed, TmfError
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error, send_response


def json_page(answer: Callable[[Scope], Awaitable[Any]]) -> App:
    """Create the page whose document `answer` returns; it may raise a TmfError."""

    async def page(scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            if scope["method"] not in PAGE_METHODS:
                raise MethodNotAllowed.among(scope["method"], PAGE_METHODS)
            body = orjson.dumps(await answer(scope))
        except TmfError as error:
            await send_error(send, error, scope)
        else:
            headers = [(b"cache-control", b"no-store")]
            await send_response(send, 200, body, headers, head=scope["method"] == "HEAD")

    return page
