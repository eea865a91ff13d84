"""Serves JSON documents at paths outside the contracts: GET and HEAD, with errors as TMF Errors, never cached.

A parameter that a page does not have is rejected.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tmf_sales.errors import MethodNotAllowed, TmfError
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error, send_response
from tmf_sales.query.names import reject_undeclared_parameters

Parameters = list[tuple[str, str]]


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


def parameters_of(scope: Scope) -> Parameters:
    """The names and values in the query string of a request."""
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def reject_other_parameters(scope: Scope, declared: Collection[str] = ()) -> None:
    """Raises InvalidParameter; called once the caller is known to be allowed to read the page."""
    reject_undeclared_parameters((name for name, _ in parameters_of(scope)), declared)
