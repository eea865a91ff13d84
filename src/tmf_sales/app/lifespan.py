"""Opens the store, runs event delivery and housekeeping while the service runs, and closes everything at the end.

Guarantee: the store is open before the first request and closed after the last. Background tasks end before the store
closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from tmf_sales.app.seeding import seed
from tmf_sales.contract.loader import Contract
from tmf_sales.engine.idempotency import Idempotency
from tmf_sales.errors import Unavailable
from tmf_sales.events.delivery.worker import Delivery
from tmf_sales.storage.protocol import Storage

HOUSEKEEPING_INTERVAL = 600.0

log = logging.getLogger("tmf_sales")


@contextlib.asynccontextmanager
async def lifespan(
    store: Storage,
    idempotency: Idempotency,
    *,
    seeded: Sequence[Contract],
    make_delivery: Callable[[], Delivery] | None,
    clock: Callable[[], datetime],
) -> AsyncIterator[None]:
    """Open the store before the first request, and exclude the objects made at start from garbage collection."""
    await store.open()
    with contextlib.suppress(Unavailable):
        await log_unknown_kinds(store)
    await seed(store, seeded, clock())
    if gc.isenabled():  # `serve` has disabled it: a collection would free 0.5 MB, and take a tenth of the start
        gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 100)
    try:
        async with delivering(make_delivery() if make_delivery else None), housekeeping(idempotency):
            yield
    finally:
        await store.close()


async def log_unknown_kinds(store: Storage) -> None:
    """Warn about stored kinds that no loaded contract describes; delivery leaves their events in place."""
    for kind, count in (await store.unknown_kinds()).items():
        log.warning("no loaded contract describes %s: %d resources are not served, nor events delivered", kind, count)


@contextlib.asynccontextmanager
async def delivering(delivery: Delivery | None) -> AsyncIterator[None]:
    """Run the delivery of events in the background; at the end, wait for the running attempts."""
    if delivery is None:
        yield
        return
    work = asyncio.create_task(delivery.run())
    try:
        yield
    finally:
        delivery.stop()
        await work


@contextlib.asynccontextmanager
async def housekeeping(idempotency: Idempotency, every: float = HOUSEKEEPING_INTERVAL) -> AsyncIterator[None]:
    """Delete expired idempotency keys periodically."""
    work = asyncio.create_task(_housekeep(idempotency, every))
    try:
        yield
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


async def _housekeep(idempotency: Idempotency, every: float) -> None:
    while True:
        with contextlib.suppress(Unavailable):
            while await idempotency.forget_expired():
                pass
        await asyncio.sleep(every)
