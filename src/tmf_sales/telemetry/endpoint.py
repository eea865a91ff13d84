"""Serves `/metrics`, and the management port.

With authentication, the policy must grant `readMetrics` to the caller. The management port asks nobody who it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

from tmf_sales.errors import MethodNotAllowed, NoSuchRoute, TmfError
from tmf_sales.http.context import MayRead
from tmf_sales.http.hosts import ServedHosts
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, as_tmf_error, send_error, send_response
from tmf_sales.telemetry.metrics import Metrics
from tmf_sales.telemetry.store_gauges import StoreGauges

PATH = "/metrics"


class Scrape(Protocol):
    """Returns the text of a scrape and its media type, for an Accept header."""

    async def __call__(self, accept: str) -> tuple[bytes, str]: ...


def scrape_of(metrics: Metrics, gauges: StoreGauges) -> Scrape:
    async def scrape(accept: str) -> tuple[bytes, str]:
        await gauges.refresh()
        totals = metrics.totals()
        return await asyncio.to_thread(_written, metrics, gauges, totals, accept)

    return scrape


def _written(metrics: Metrics, gauges: StoreGauges, totals: Sequence[float], accept: str) -> tuple[bytes, str]:
    # Imported by the first scrape, in its thread: a start is 60 ms faster without it.
    from tmf_sales.telemetry.exposition import Exposition, written

    return written(Exposition(metrics, gauges, totals), accept)


def metrics_page(scrape: Scrape, may_read: MayRead | None = None) -> App:
    """Create the page. `may_read` raises for callers without the right to read metrics; None: everybody has it."""

    async def answer(scope: Scope) -> tuple[bytes, str]:
        if scope["method"] not in PAGE_METHODS:
            raise MethodNotAllowed.among(scope["method"], PAGE_METHODS)
        if may_read is not None:
            await may_read(scope, ())
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
        return await scrape(accept.decode("latin-1"))

    async def page(scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            body, media_type = await answer(scope)
        except Exception as raised:  # noqa: BLE001  the scraper always gets a response; unexpected errors are logged
            await send_error(send, as_tmf_error(raised), scope)
        else:
            is_head, type = scope["method"] == "HEAD", (b"content-type", media_type.encode())
            await send_response(send, 200, body, [(b"cache-control", b"no-store")], head=is_head, media_type=type)

    return page


def management_app(pages: Mapping[str, App], hosts: ServedHosts | None = None) -> App:
    """Serve these pages by their paths and nothing else; `hosts` as for EntryMiddleware."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if hosts is not None:
                hosts.reject_other(scope)
            if (page := pages.get(scope["path"])) is None:
                raise NoSuchRoute(f"expected one of {', '.join(sorted(pages))}")
        except TmfError as error:
            await send_error(send, error, scope)
        else:
            await page(scope, receive, send)

    return app


def choose_by_port(port: int, management: App, other: App) -> App:
    """Serve requests that arrive on this port by the one application, all others by the other."""

    def choose(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Not a coroutine function, so that requests do not pay for another coroutine.
        is_management = scope["type"] == "http" and (scope.get("server") or ("", 0))[1] == port
        return (management if is_management else other)(scope, receive, send)

    return choose
