"""The ASGI application behind Connexion: calls the handler of the routed operation and sends its response.

Guarantee: one dictionary lookup leads from a validated request to its handler. Paths that no contract has go to the
console pages, or get 404.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tmf_sales.engine.request import Handler, Request, StreamedResponse
from tmf_sales.errors import MethodNotAllowed, NoSuchRoute, TmfError
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error, send_response
from tmf_sales.http.streaming import send_stream
from tmf_sales.http.validation import REQUEST

Handlers = Mapping[str, Handler]


class Dispatcher:
    """`handlers`: base path of an API -> operationId -> handler. `pages` serves the paths that `has_page` accepts."""

    def __init__(self, handlers: Mapping[str, Handlers], pages: App, has_page: Callable[[str], bool]) -> None:
        self._handlers = handlers
        self._pages = pages
        self._has_page = has_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request | None = scope.get(REQUEST)
        if request is None:
            await self._answer_elsewhere(scope, receive, send)
            return
        base_path = scope["extensions"]["connexion_routing"]["api_base_path"]
        try:
            result = await self._handlers[base_path][request.operation_id](request)
        except TmfError as error:
            await send_error(send, error, scope)
            return
        if isinstance(result, StreamedResponse):
            await send_stream(scope, receive, send, result)
            return
        await send_response(send, result.status, result.body, result.headers, head=request.method == "HEAD")

    async def _answer_elsewhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._has_page(scope["path"]):
            await send_error(send, NoSuchRoute("No operation of any API has this path"), scope)
        elif scope["method"] in PAGE_METHODS:
            await self._pages(scope, receive, send)
        else:
            await send_error(send, MethodNotAllowed.among(scope["method"], PAGE_METHODS), scope)
