"""Serves the index of the APIs and its diagrams by an application that is made for the first request of a page.

Most processes never serve them, and Flask takes a twentieth of a start and 3 MB.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tmf_sales.contract.loader import Contract
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.public_base import PublicBase
from tmf_sales.http.responses import Send


class IndexPages:
    """An ASGI application for the paths of console/paths.py."""

    def __init__(self, contracts: Sequence[Contract], public_base: PublicBase) -> None:
        self._contracts = contracts
        self._public_base = public_base
        self._pages: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._pages is None:  # requests that come together make it twice, which is harmless
            self._pages = await asyncio.to_thread(self._made)
        await self._pages(scope, receive, send)

    def _made(self) -> App:
        from a2wsgi import WSGIMiddleware

        from tmf_sales.console.pages import create_console

        return WSGIMiddleware(create_console(self._contracts, self._public_base))  # type: ignore[arg-type, return-value]
