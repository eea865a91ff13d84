"""Sends the events of one delivery queue to its subscription, one after the other, and records each attempt.

The next event goes out only when the store has recorded that the one before it arrived. A failed delivery is retried
later and delays only its own queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson

from tmf_sales.events.delivery.endpoint_health import EndpointHealth
from tmf_sales.events.delivery.retry import delay_after
from tmf_sales.events.delivery.slots import DeliverySlots
from tmf_sales.events.delivery.webhook import TRACEPARENT, Attempt, Message, Webhook
from tmf_sales.events.signing import Secret
from tmf_sales.events.ssrf_guard import host_of
from tmf_sales.events.subscription import ActiveSubscriptions, Subscription
from tmf_sales.storage.events import BEHIND, AttemptRecord, DeliveryQueue, EventStore, Step, StoredEvent
from tmf_sales.storage.grouped import Grouped

STEPS_AT_ONCE = 1000
QUEUE_BATCH = 50
QUEUE_BYTES = 256 * 1024
REVISION_HEADER = "resource-revision"


class Recorder:
    """Records steps in groups: steps that arrive while the store is busy are written together next."""

    def __init__(self, store: EventStore, owner: str, until: Callable[[], float]) -> None:
        self._grouped: Grouped[Step, DeliveryQueue | None] = Grouped(
            lambda steps: store.record(steps, owner, until()), STEPS_AT_ONCE
        )

    async def record(self, step: Step) -> DeliveryQueue | None:
        """Record the step and return the result of EventStore.record for it; raises StorageUnavailable."""
        return await self._grouped.done(step)


class Environment(NamedTuple):
    """A worker's clock, in seconds since 1970, and its source of random numbers in [0, 1)."""

    now: Callable[[], float]
    chance: Callable[[], float]


class Sender:
    """Sends the events of delivery queues. The worker keeps `subscriptions` up to date."""

    def __init__(
        self,
        store: EventStore,
        webhook: Webhook,
        health: EndpointHealth,
        recorder: Recorder,
        environment: Environment,
        secrets: Sequence[Secret],
        posts_at_once: int,
        slots: DeliverySlots,
    ) -> None:
        self.subscriptions = ActiveSubscriptions({}, {})
        self.is_stopping = False
        self._store = store
        self._webhook = webhook
        self._health = health
        self._recorder = recorder
        self._environment = environment
        self._secrets = tuple(secrets)
        self._posts_at_once = posts_at_once
        self._slots = slots
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def work_off(self, delivery: DeliveryQueue, known: Sequence[StoredEvent] = ()) -> None:
        """Send the events of the queue until it is empty, waits for a retry, or is leased by another worker.

        `known`: the queue's events, if the caller has them. Raises StorageUnavailable; the lease then runs out.
        """
        left: DeliveryQueue | None = delivery
        events = known
        while left is not None and not self.is_stopping:
            events = events or await self._store.events_of(left, QUEUE_BATCH, QUEUE_BYTES)
            left = await self._go_through(left, events)
            events = ()

    async def _go_through(self, delivery: DeliveryQueue, events: Sequence[StoredEvent]) -> DeliveryQueue | None:
        if not events:  # they have expired
            return await self._recorder.record(Step(delivery, delivery.last + BEHIND))
        left: DeliveryQueue | None = delivery
        for event in events:
            if left is None or self.is_stopping:
                break
            left = await self._deliver(left, event)
        return left

    async def _deliver(self, delivery: DeliveryQueue, event: StoredEvent) -> DeliveryQueue | None:
        subscription = self.subscriptions.get(delivery.key.subscription)
        if subscription is None:  # unregistered or disabled: the worker clears its queues
            return None
        if not self.subscriptions.wants(subscription.id, event.kind, event.document):
            return await self._recorder.record(Step(delivery, event.order + BEHIND))
        attempt = await self._try(subscription, event)
        if attempt is None:
            return None
        step = self._step(delivery, event, attempt)
        is_disabled = await self._health.note(subscription, attempt, step)
        left = await self._recorder.record(step)
        if is_disabled:
            await self._store.forget(subscription.id)
        return left

    async def _try(self, subscription: Subscription, event: StoredEvent) -> Attempt | None:
        """Post the event; None when the subscription was removed while the delivery waited for its slot."""
        # More queues are in progress than posts may be open: while some post, the steps of others are recorded.
        async with self._turns.setdefault(subscription.id, asyncio.Semaphore(self._posts_at_once)):
            slot = await self._slots.acquire(subscription.id, host_of(subscription.callback))
            succeeded = False
            try:
                if subscription.id not in self.subscriptions:
                    return None
                attempt = await self._webhook.post(subscription.callback, *self._message(subscription, event))
                succeeded = attempt.succeeded
            finally:
                self._slots.release(slot, succeeded=succeeded)
        return attempt

    def _message(self, subscription: Subscription, event: StoredEvent) -> tuple[Message, Sequence[Secret]]:
        selected = self.subscriptions.selected(subscription.id, event.kind, event.document)
        body = event.text if selected is event.document else orjson.dumps(selected)
        traceparent = event.document.get(TRACEPARENT)
        trace = ((TRACEPARENT, traceparent),) if isinstance(traceparent, str) else ()
        message = Message(event.id, body, ((REVISION_HEADER, str(event.revision)), *trace))
        return message, subscription.signing_secrets(self._environment.now()) or self._secrets

    def forget(self, subscription: str) -> None:
        """Called when no delivery to the subscription is open any more."""
        self._turns.pop(subscription, None)

    def _step(self, delivery: DeliveryQueue, event: StoredEvent, attempt: Attempt) -> Step:
        record = AttemptRecord(
            subscription=delivery.key.subscription,
            event=event.id,
            at=attempt.at,
            duration=attempt.duration,
            status=attempt.status,
            answer=attempt.answer,
            error=attempt.error,
        )
        if attempt.succeeded:
            return Step(delivery, event.order + BEHIND, attempt=record)
        failures = delivery.failures + 1
        due = self._environment.now() + delay_after(failures, self._environment.chance(), attempt.retry_after)
        return Step(delivery, delivery.first, failures, due, record)
