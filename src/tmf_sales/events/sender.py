"""Takes the events of one lane to its listener, one after the other, and has written down what came of each try.

Promise: the next event goes out only when the store has taken down that the one before it arrived; an event that
fails is tried again when its time has come, and holds back nothing but its own lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson

from tmf_sales.events.endpoint_health import EndpointHealth
from tmf_sales.events.retry import delay_after
from tmf_sales.events.signing import Secret
from tmf_sales.events.subscription import ActiveSubscriptions, Subscription
from tmf_sales.events.webhook import Attempt, Message, Webhook
from tmf_sales.storage.events import BEHIND, AttemptRecord, DeliveryQueue, EventStore, Step, StoredEvent

LANE_BATCH = 50
LANE_BYTES = 1024 * 1024
REVISION_HEADER = "resource-revision"


class Recorder:
    """Writes steps down: those that come while the store is at work are written together next."""

    def __init__(self, store: EventStore, owner: str, until: Callable[[], float]) -> None:
        self._store = store
        self._owner = owner
        self._until = until
        self._waiting: list[tuple[Step, asyncio.Future[DeliveryQueue | None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def record(self, step: Step) -> DeliveryQueue | None:
        """What EventStore.record answers for the step; raises StorageUnavailable."""
        answer: asyncio.Future[DeliveryQueue | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((step, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                deliveries = await self._store.record([step for step, _ in batch], self._owner, self._until())
            except Exception as error:  # noqa: BLE001  whoever waits for the answer gets it
                _fail([answer for _, answer in batch], error)
            else:
                for (_, answer), delivery in zip(batch, deliveries, strict=True):
                    if not answer.cancelled():
                        answer.set_result(delivery)


class Environment(NamedTuple):
    """What a worker takes from outside: the time in seconds since 1970, and chance in [0, 1)."""

    now: Callable[[], float]
    chance: Callable[[], float]


class Sender:
    """Works lanes off. `listeners` is what the worker last saw of them; it is kept fresh from outside."""

    def __init__(
        self,
        store: EventStore,
        webhook: Webhook,
        health: EndpointHealth,
        recorder: Recorder,
        environment: Environment,
        secrets: Sequence[Secret],
        posts_at_once: int,
    ) -> None:
        self.subscriptions = ActiveSubscriptions({}, {})
        self.is_stopping = False
        self._store = store
        self._webhook = webhook
        self._health = health
        self._recorder = recorder
        self._senses = environment
        self._secrets = tuple(secrets)
        self._posts_at_once = posts_at_once
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def work_off(self, delivery: DeliveryQueue, known: Sequence[StoredEvent] = ()) -> None:
        """Send what is in the lane until it is empty, or rests, or belongs to somebody else.

        `known` are the lane's events when they are at hand. Raises StorageUnavailable: the lease then runs out.
        """
        left: DeliveryQueue | None = delivery
        events = known
        while left is not None and not self.is_stopping:
            events = events or await self._store.events_of(left, LANE_BATCH, LANE_BYTES)
            left = await self._go_through(left, events)
            events = ()

    async def _go_through(self, delivery: DeliveryQueue, events: Sequence[StoredEvent]) -> DeliveryQueue | None:
        if not events:  # the log has lost them, so there is nothing to wait for
            return await self._recorder.record(Step(delivery, delivery.last + BEHIND))
        left: DeliveryQueue | None = delivery
        for event in events:
            if left is None or self.is_stopping:
                break
            left = await self._deliver(left, event)
        return left

    async def _deliver(self, delivery: DeliveryQueue, event: StoredEvent) -> DeliveryQueue | None:
        subscription = self.subscriptions.get(delivery.key.subscription)
        if subscription is None:  # unregistered or disabled: the worker clears its lanes
            return None
        if not self.subscriptions.wants(subscription.id, event.kind, event.document):
            return await self._recorder.record(Step(delivery, event.order + BEHIND))
        attempt = await self._try(subscription, event)
        step = self._step(delivery, event, attempt)
        is_disabled = await self._health.note(subscription, attempt, step)
        left = await self._recorder.record(step)
        if is_disabled:
            await self._store.forget(subscription.id)
        return left

    async def _try(self, subscription: Subscription, event: StoredEvent) -> Attempt:
        selected = self.subscriptions.selected(subscription.id, event.document)
        body = event.text if selected is event.document else orjson.dumps(selected)
        message = Message(event.id, body, ((REVISION_HEADER, str(event.revision)),))
        secrets = subscription.signing_secrets(self._senses.now()) or self._secrets
        # More lanes are worked off than posts may be under way: while some post, others are written down.
        async with self._turns.setdefault(subscription.id, asyncio.Semaphore(self._posts_at_once)):
            return await self._webhook.post(subscription.callback, message, secrets)

    def forget(self, subscription: str) -> None:
        """Nothing is under way to the listener any more."""
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
        due = self._senses.now() + delay_after(failures, self._senses.chance(), attempt.retry_after)
        return Step(delivery, delivery.first, failures, due, record)


def _fail(answers: Sequence[asyncio.Future[DeliveryQueue | None]], error: Exception) -> None:
    for answer in answers:
        if not answer.cancelled():
            answer.set_exception(error)
