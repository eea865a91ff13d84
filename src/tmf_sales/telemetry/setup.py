"""Puts the parts of telemetry together, once, at start: for the service and for a delivery worker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from tmf_sales.contract.loader import Contract
from tmf_sales.events.subscriptions import Hub
from tmf_sales.http.context import MayRead
from tmf_sales.http.middleware import App
from tmf_sales.http.probes import Readiness, probes
from tmf_sales.storage.protocol import Storage
from tmf_sales.telemetry.endpoint import PATH, metrics_page, scrape_of
from tmf_sales.telemetry.metrics import GET, Metrics
from tmf_sales.telemetry.store_gauges import StoreGauges
from tmf_sales.telemetry.tracing import Tracing, create_tracing

SPARE_ROWS = 8  # for workers beyond the configured number: while old ones end, or after SIGTTIN


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The metrics of a process, and what it takes to show them."""

    metrics: Metrics
    readiness: Readiness
    gauges: StoreGauges
    tracing: Tracing | None

    def probes(self) -> Mapping[str, App]:
        """The pages /live and /ready."""
        return probes(self.readiness)

    def metrics_page(self, may_read: MayRead | None = None) -> Mapping[str, App]:
        """The page /metrics; see `endpoint.metrics_page`."""
        return {PATH: metrics_page(scrape_of(self.metrics, self.gauges), may_read)}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publish the metrics and send spans while the store is open."""
        if self.tracing is not None:
            self.tracing.start()
        async with self.metrics.publishing():
            try:
                yield
            finally:
                await self.gauges.close()
                if self.tracing is not None:
                    await asyncio.to_thread(self.tracing.close)


def create_telemetry(apis: Sequence[Contract], store: Storage, hub: Hub, workers: int = 1) -> Telemetry:
    """Create the telemetry of a store that is not open yet; the store times its operations from now on."""
    metrics = Metrics()
    metrics.know_contracts(apis)
    tracing = create_tracing()
    observe_store(store, metrics, tracing)
    readiness = Readiness(store.ping)
    gauges = StoreGauges(metrics.numbers, apis, store, hub, readiness.is_ready)
    metrics.share(workers + SPARE_ROWS if workers > 1 else 1)
    return Telemetry(metrics, readiness, gauges, tracing)


def observe_store(store: Storage, metrics: Metrics, tracing: Tracing | None) -> None:
    """Let the store time and trace its operations; a wrapper would cost every other method a call, too.

    A read by id notes its time itself: wrapping it in a coroutine would take 2 % of a GET.
    """
    store.note_get = metrics.store[GET].observe
    for name, histogram in metrics.store.items():
        call = getattr(store, name)
        observed = call if name == GET else histogram.timing(call)
        if tracing is not None:
            observed = tracing.in_span(f"store.{name}", observed)
        setattr(store, name, observed)
