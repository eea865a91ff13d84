"""What lives as long as the service does: the open store, the delivery of events, and the house-keeping.

Promise: the store is open before the first request and closed after the last; whatever runs beside the requests ends
with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from tmf_sales.contract.loader import Contract
from tmf_sales.engine.idempotency import Idempotency
from tmf_sales.errors import Unavailable
from tmf_sales.events.worker import Delivery
from tmf_sales.seeding import seed
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
    """Open the store before the first request; then keep what start made out of the garbage collector's way."""
    await store.open()
    with contextlib.suppress(Unavailable):
        await log_unknown_kinds(store)
    await seed(store, seeded, clock())
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
    """Warn of what no loaded contract describes; a worker leaves events of these kinds where they are."""
    for kind, count in (await store.unknown_kinds()).items():
        log.warning("no loaded contract describes %s: %d resources and its events are left alone", kind, count)


@contextlib.asynccontextmanager
async def delivering(delivery: Delivery | None) -> AsyncIterator[None]:
    """Bring events to listeners meanwhile; at the end the posts under way are let end."""
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
    """Forget what is over, from time to time."""
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
