"""The delivery worker: takes events from the log into delivery queues and sends them. Workers may share the work.

Every event in the log reaches each subscription that wants it at least once, in order per resource. A slow or dead
receiver delays no other, and no request waits for one. The worker wakes at once for events of its own process and looks
for those of others every `poll` seconds.
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
from tmf_sales.events.delivery.endpoint_health import EndpointHealth
from tmf_sales.events.delivery.sender import Environment, Recorder, Sender
from tmf_sales.events.delivery.slots import DeliverySlots
from tmf_sales.events.delivery.webhook import Webhook
from tmf_sales.events.signing import Secret
from tmf_sales.events.subscriptions import Hub
from tmf_sales.storage.events import BATCH_BYTES, DeliveryQueue, EventStore, FanOut, StoredEvent, is_full

DAY = 24 * 3600.0
FAN_OUT_BATCH = 200
CONCURRENCY_OF_FAILING = 2
QUEUES_PER_POST = 8
QUEUES = 512
SWEEP_EVERY = 5.0
EXPIRE_EVERY = 600.0
GRACE = 5.0
WITHOUT_SUBSCRIPTIONS = 0.05

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """`secrets` sign for subscriptions without their own. Times are in seconds.

    `concurrency`: open deliveries of one subscription; `per_host`: to one host; `connections`: of this worker in all.
    `audit_retention` None: audit records are kept as long as events.
    A lease is renewed while it is needed, so `lease` says only how long the queues of a killed worker wait.
    """

    secrets: tuple[Secret, ...] = ()
    concurrency: int = 8
    per_host: int = 16
    connections: int = 128
    poll: float = 1.0
    lease: float = 10.0
    retention: float = 7 * DAY
    audit_retention: float | None = None


class Delivery:
    """One worker. Run `run` as a task and call `stop` to end it: open deliveries finish and the queues are released."""

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
        self._slots = DeliverySlots(self._settings.connections, self._settings.per_host)
        self._sender = Sender(
            store,
            webhook,
            self._health,
            recorder,
            environment,
            self._settings.secrets,
            self._settings.concurrency,
            self._slots,
        )
        self._queues: dict[asyncio.Task[None], DeliveryQueue] = {}
        self._left: list[DeliveryQueue] = []
        self._under_way: Counter[str] = Counter()
        self._has_more: set[str] = set()
        self._due: dict[str, float] = {}
        self._is_behind = False
        self._is_store_away = False
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`, or until cancelled."""
        try:
            while not self._stopping.is_set():
                self._store.arrived.clear()
                try:
                    await self.turn()
                    self._is_store_away = False
                except Unavailable as error:
                    self._log_outage(error)
                except Exception:
                    log.exception("delivery failed with an unexpected error and is repeated")
                await self._wait_for_work()
        finally:
            await self._finish()

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()
        self._store.arrived.set()

    async def turn(self) -> None:
        """Do some of what is due now: fan out new events, claim queues that are due, renew leases and clean up.

        A round handles one batch, so that leases are renewed in time and a stop takes effect however long the backlog.
        """
        await self._fan_out()
        if self._left:
            await self._give_back()
        if self._is_due("claim", self._settings.poll) or self._has_more:
            await self._claim()
        if self._is_due("renew", self._settings.lease / 3) and self._queues:
            await self._store.renew(list(self._queues.values()), self._owner, self._lease_end())
        if self._is_due("sweep", SWEEP_EVERY):
            await self._clear_queues_of_no_subscription()
            if await self._store.sweep():
                await self._fan_out()
        if self._is_due("expire", EXPIRE_EVERY):
            now, kept = self._now(), self._settings
            audit = kept.retention if kept.audit_retention is None else kept.audit_retention
            await self._store.expire(now - kept.retention, now - audit)

    async def wait_until_idle(self) -> None:
        """Wait until no delivery is open."""
        while self._queues:
            await asyncio.wait(list(self._queues))

    async def _fan_out(self) -> None:
        """Put a batch of new events into their delivery queues."""
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
        subscriptions = self._sender.subscriptions
        wanting = subscriptions.matching(event.kind, event.document) if subscriptions else []
        free = {id for id in wanting if self._room(id) > planned[id]}
        planned.update(free)
        self._has_more.update(id for id in wanting if id not in free)
        return FanOut(event, wanting, free)

    async def _claim(self) -> None:
        """Claim queues that are due: their retry is due, another worker left them, or they were beyond the limit."""
        await self._refresh_subscriptions()
        room = {id: free for id in self._sender.subscriptions.ids() if (free := self._room(id)) > 0}
        deliveries = await self._store.claim(self._owner, self._lease_end(), self._now(), room)
        for delivery in deliveries:
            self._begin(delivery)
        taken = Counter(delivery.key.subscription for delivery in deliveries)
        self._has_more -= {id for id, free in room.items() if taken[id] < free}

    async def _give_back(self) -> None:
        """End the leases of the queues that were left while the store was away, now that it is back."""
        left, self._left = self._left, []
        begun_again = {delivery.key for delivery in self._queues.values()}
        try:
            await self._store.renew([each for each in left if each.key not in begun_again], self._owner, self._now())
        except Unavailable:
            self._left += left
            raise

    async def _clear_queues_of_no_subscription(self) -> None:
        """Remove the queues of subscriptions that were unregistered or disabled."""
        waiting = await self._store.waiting()
        await self._refresh_subscriptions()  # read after the queues: a subscription exists before its queues
        for subscription in waiting:
            if subscription not in self._sender.subscriptions:
                await self._store.forget(subscription)
        self._slots.forget_others(self._sender.subscriptions.ids())

    async def _refresh_subscriptions(self) -> None:
        self._sender.subscriptions = await self._hub.active()

    def _room(self, subscription: str) -> int:
        """How many more queues of the subscription may be claimed now.

        More than the posts that may be open, so that no post waits for the store, but at most a fair share of QUEUES.
        """
        posts = self._posts_at_once(subscription)
        share = max(posts, QUEUES // max(1, len(self._under_way)))
        return min(posts * QUEUES_PER_POST, share) - self._under_way[subscription]

    def _posts_at_once(self, subscription: str) -> int:
        known = self._sender.subscriptions.get(subscription)
        is_failing = known is not None and self._health.is_failing(known)
        return min(self._settings.concurrency, CONCURRENCY_OF_FAILING) if is_failing else self._settings.concurrency

    def _begin(self, delivery: DeliveryQueue, events: Sequence[StoredEvent] = ()) -> None:
        self._under_way[delivery.key.subscription] += 1
        task = asyncio.create_task(self._work_off(delivery, events))
        self._queues[task] = delivery
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        subscription = self._queues.pop(task).key.subscription
        self._under_way[subscription] -= 1
        if not self._under_way[subscription]:
            del self._under_way[subscription]
            self._sender.forget(subscription)
        if subscription in self._has_more and self._room(subscription) >= self._under_way[subscription]:
            self._store.arrived.set()  # half of its queues are done: time to claim others

    async def _work_off(self, delivery: DeliveryQueue, events: Sequence[StoredEvent]) -> None:
        try:
            await self._sender.work_off(delivery, events)
        except Unavailable as error:
            self._log_outage(error)
            self._left.append(delivery)
        except Exception:
            log.exception("delivery to subscription %s failed with an unexpected error", delivery.key.subscription)

    def _log_outage(self, error: Unavailable) -> None:
        """Log once that the store is away, until a round succeeds."""
        if not self._is_store_away:
            log.warning("delivery waits for the store: %s", error.message)
        self._is_store_away = True

    def _lease_end(self) -> float:
        return self._now() + self._settings.lease

    def _is_due(self, chore: str, every: float) -> bool:
        now, due = self._now(), self._due.get(chore, 0.0)
        if due - every <= now < due:  # even earlier: the clock was set back
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
        if not self._sender.subscriptions:  # nobody waits for events, so handle many at once
            await asyncio.sleep(WITHOUT_SUBSCRIPTIONS)

    async def _finish(self) -> None:
        self._sender.is_stopping = True
        if self._queues:
            _, late = await asyncio.wait(list(self._queues), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._webhook.close()
        with contextlib.suppress(Unavailable):
            await self._store.release(self._owner, self._now())


def _complete(delivery: DeliveryQueue, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
    """Return the queue's events if `events` contains all of them without a gap; else none."""
    return [each for each in events if each.order >= delivery.first] if events[-1].order == delivery.last else ()
