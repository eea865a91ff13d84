"""Serves the index of the APIs and its diagrams, made when a request first asks for a path that no API has.

Most processes never serve them, and Flask takes a twentieth of a start and 3 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from tmf_sales.contract.loader import Contract
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.public_base import PublicBase
from tmf_sales.http.responses import Send


class IndexPages:
    """An ASGI application for the paths that `has` accepts."""

    def __init__(self, contracts: Sequence[Contract], public_base: PublicBase) -> None:
        self._contracts = contracts
        self._public_base = public_base

    def has(self, path: str) -> bool:
        _, is_page = self._made
        return is_page(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pages, _ = self._made
        await pages(scope, receive, send)

    @cached_property
    def _made(self) -> tuple[App, Callable[[str], bool]]:
        from a2wsgi import WSGIMiddleware

        from tmf_sales.console.pages import create_console

        index = create_console(self._contracts, self._public_base)
        return WSGIMiddleware(index), index.url_map.bind("").test  # type: ignore[arg-type, return-value]
