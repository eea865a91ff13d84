"""The worker that brings events to listeners: log -> lanes -> tries. Any number of workers may share the work.

Promise: what is in the log reaches every listener that wants it at least once, in the order of each resource; a slow or
dead listener delays nobody else, and no request ever waits for any. It wakes at once for the events of its own process
and looks for those of others every `poll` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tmf_sales.errors import Unavailable
from tmf_sales.events.endpoint_health import EndpointHealth
from tmf_sales.events.sender import Environment, Recorder, Sender
from tmf_sales.events.signing import Secret
from tmf_sales.events.subscriptions import Hub
from tmf_sales.events.webhook import Webhook
from tmf_sales.storage.events import BATCH_BYTES, DeliveryQueue, EventStore, FanOut, StoredEvent, is_full

DAY = 24 * 3600.0
FAN_OUT_BATCH = 200
CONCURRENCY_OF_FAILING = 2
LANES_PER_POST = 8
SWEEP_EVERY = 5.0
EXPIRE_EVERY = 600.0
GRACE = 5.0
UNHEARD = 0.05

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """`secrets` sign for listeners without their own. `concurrency`: posts to one listener at once. Spans: seconds.

    A lease is renewed while it is needed, so `lease` says only how long the lanes of a killed worker rest.
    """

    secrets: tuple[Secret, ...] = ()
    concurrency: int = 8
    poll: float = 1.0
    lease: float = 10.0
    retention: float = 7 * DAY


class Delivery:
    """One worker. `run` it as a task and `stop` it; stopping lets the posts under way end and gives the lanes back."""

    def __init__(
        self,
        store: EventStore,
        hub: Hub,
        webhook: Webhook,
        settings: DeliverySettings | None = None,
        *,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        owner: str | None = None,
    ) -> None:
        self._store = store
        self._hub = hub
        self._webhook = webhook
        self._settings = settings or DeliverySettings()
        self._now = now
        self._owner = owner or uuid.uuid4().hex
        self._health = EndpointHealth(hub)
        recorder = Recorder(store, self._owner, self._lease_end)
        environment = Environment(now, chance)
        self._courier = Sender(
            store, webhook, self._health, recorder, environment, self._settings.secrets, self._settings.concurrency
        )
        self._lanes: dict[asyncio.Task[None], DeliveryQueue] = {}
        self._under_way: Counter[str] = Counter()
        self._has_more: set[str] = set()
        self._due: dict[str, float] = {}
        self._is_behind = False
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`, or until cancelled."""
        try:
            while not self._stopping.is_set():
                self._store.arrived.clear()
                try:
                    await self.turn()
                except Unavailable as error:
                    log.warning("events wait: %s", error.message)
                except Exception:
                    log.exception("a turn of the delivery failed by a defect; the next one follows")
                await self._wait_for_work()
        finally:
            await self._finish()

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()
        self._store.arrived.set()

    async def turn(self) -> None:
        """Do some of what is to be done now: fan new events out, take up lanes that are due, keep house.

        However many events wait, leases are renewed in between and a stop is heard: the next turn follows at once.
        """
        await self._fan_out()
        if self._is_due("claim", self._settings.poll) or self._has_more:
            await self._claim()
        if self._is_due("renew", self._settings.lease / 3) and self._lanes:
            await self._store.renew(list(self._lanes.values()), self._owner, self._lease_end())
        if self._is_due("sweep", SWEEP_EVERY):
            await self._clear_queues_of_no_subscription()
            if await self._store.sweep():
                await self._fan_out()
        if self._is_due("expire", EXPIRE_EVERY):
            await self._store.expire(self._now() - self._settings.retention)

    async def normalize(self) -> None:
        """Wait until no post is under way."""
        while self._lanes:
            await asyncio.wait(list(self._lanes))

    async def _fan_out(self) -> None:
        """Put a batch of new events into their lanes."""
        self._is_behind = False
        events = await self._store.not_fanned_out(FAN_OUT_BATCH)
        if not events:
            return
        await self._refresh_subscriptions()
        planned: Counter[str] = Counter()
        fans = [self._fan_of(event, planned) for event in events]
        deliveries = await self._store.fan_out(fans, self._owner, self._lease_end(), self._now())
        by_resource: dict[tuple[str, str], list[StoredEvent]] = {}
        for event in events:
            by_resource.setdefault((event.kind, event.resource), []).append(event)
        for delivery in deliveries:
            self._begin(delivery, _complete(delivery, by_resource[delivery.key.kind, delivery.key.resource]))
        self._is_behind = is_full(events, FAN_OUT_BATCH, BATCH_BYTES)

    def _fan_of(self, event: StoredEvent, planned: Counter[str]) -> FanOut:
        subscriptions = self._courier.subscriptions
        wanting = subscriptions.matching(event.kind, event.document) if subscriptions else []
        free = {id for id in wanting if self._room(id) > planned[id]}
        planned.update(free)
        self._has_more.update(id for id in wanting if id not in free)
        return FanOut(event, wanting, free)

    async def _claim(self) -> None:
        """Take up lanes that are due: tried before, left over by another worker, or too many at once till now."""
        await self._refresh_subscriptions()
        room = {id: free for id in self._courier.subscriptions.ids() if (free := self._room(id)) > 0}
        deliveries = await self._store.claim(self._owner, self._lease_end(), self._now(), room)
        for delivery in deliveries:
            self._begin(delivery)
        taken = Counter(delivery.key.subscription for delivery in deliveries)
        self._has_more -= {id for id, free in room.items() if taken[id] < free}

    async def _clear_queues_of_no_subscription(self) -> None:
        """Forget what waits for listeners that were unregistered or disabled."""
        waiting = await self._store.waiting()
        await self._refresh_subscriptions()  # after the lanes, so that a lane's listener was there before it
        for subscription in waiting:
            if subscription not in self._courier.subscriptions:
                await self._store.forget(subscription)

    async def _refresh_subscriptions(self) -> None:
        self._courier.subscriptions = await self._hub.active()

    def _room(self, subscription: str) -> int:
        """How many more lanes of the listener may be taken up now; some more than posts, so that none waits for us."""
        return self._posts_at_once(subscription) * LANES_PER_POST - self._under_way[subscription]

    def _posts_at_once(self, subscription: str) -> int:
        known = self._courier.subscriptions.get(subscription)
        is_failing = known is not None and self._health.is_failing(known)
        return min(self._settings.concurrency, CONCURRENCY_OF_FAILING) if is_failing else self._settings.concurrency

    def _begin(self, delivery: DeliveryQueue, events: Sequence[StoredEvent] = ()) -> None:
        self._under_way[delivery.key.subscription] += 1
        task = asyncio.create_task(self._work_off(delivery, events))
        self._lanes[task] = delivery
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        subscription = self._lanes.pop(task).key.subscription
        self._under_way[subscription] -= 1
        if not self._under_way[subscription]:
            del self._under_way[subscription]
            self._courier.forget(subscription)
        if subscription in self._has_more and self._room(subscription) >= self._under_way[subscription]:
            self._store.arrived.set()  # half of its lanes are done: time to take up others

    async def _work_off(self, delivery: DeliveryQueue, events: Sequence[StoredEvent]) -> None:
        try:
            await self._courier.work_off(delivery, events)
        except Unavailable as error:
            log.warning("an event waits until its lease has run out: %s", error.message)
        except Exception:
            log.exception("delivery to listener %s failed by a defect", delivery.key.subscription)

    def _lease_end(self) -> float:
        return self._now() + self._settings.lease

    def _is_due(self, chore: str, every: float) -> bool:
        now, due = self._now(), self._due.get(chore, 0.0)
        if due - every <= now < due:  # earlier than that: somebody set the clock back
            return False
        self._due[chore] = now + every
        return True

    async def _wait_for_work(self) -> None:
        if self._is_behind:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.poll):
                await self._store.arrived.wait()
        if not self._courier.subscriptions:  # Nobody waits for these events, so many are done with at once.
            await asyncio.sleep(UNHEARD)

    async def _finish(self) -> None:
        self._courier.is_stopping = True
        if self._lanes:
            _, late = await asyncio.wait(list(self._lanes), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._webhook.close()
        with contextlib.suppress(Unavailable):
            await self._store.release(self._owner, self._now())


def _complete(delivery: DeliveryQueue, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
    """The lane's events if they are all among these, which leave none out in between; else none."""
    return [each for each in events if each.order >= delivery.first] if events[-1].order == delivery.last else ()
