"""A store, a hub, a clock and a webhook whose answers are set: the world of the delivery tests."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tmf_sales.events.delivery.webhook import Attempt, Message, Webhook
from tmf_sales.events.delivery.worker import Delivery, DeliverySettings
from tmf_sales.events.signing import Secret
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard
from tmf_sales.events.subscriptions import SUBSCRIPTION_KIND, Hub
from tmf_sales.storage.conditions import EVERYTHING, Compare, Condition, Operator
from tmf_sales.storage.memory.events import MemoryEvents
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.records import Change, Document

START = 1_700_000_000.0
Outcome = int | Attempt


class OnlyTheSize:
    """The selection of the tests."""

    def select(self, document: Document) -> Document:
        return {"eventId": document["eventId"], "size": document["size"]}


class Parsed(NamedTuple):
    condition: Condition = EVERYTHING
    selection: OnlyTheSize | None = None


def parse(api: str, raw: str) -> Parsed:
    """The query language of the tests: `size` selects, `NUMBER` is a filter on the member size."""
    return Parsed(selection=OnlyTheSize()) if raw == "size" else Parsed(Compare(("size",), Operator.EQ, int(raw)))


class Posted(NamedTuple):
    callback: str
    message: Message
    secrets: Sequence[Secret]


class FakeWebhook(Webhook):
    """Answers by `outcomes` of a callback: the next one each time, the last for ever; default 204."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(SsrfGuard())
        self.now = now
        self.posted: list[Posted] = []
        self.outcomes: dict[str, list[Outcome]] = {}
        self.blocked: dict[str, asyncio.Event] = {}
        self.most_at_once: dict[str, int] = {}
        self._at_once: dict[str, int] = {}

    async def post(self, callback: str, message: Message, secrets: Sequence[Secret] = ()) -> Attempt:
        self.posted.append(Posted(callback, message, secrets))
        self._at_once[callback] = self._at_once.get(callback, 0) + 1
        self.most_at_once[callback] = max(self.most_at_once.get(callback, 0), self._at_once[callback])
        try:
            if callback in self.blocked:
                await self.blocked[callback].wait()
        finally:
            self._at_once[callback] -= 1
        outcomes = self.outcomes.get(callback, [204])
        outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
        return Attempt(self.now(), 0.01, status=outcome) if isinstance(outcome, int) else outcome

    def ids(self, callback: str) -> list[str]:
        return [posted.message.id for posted in self.posted if posted.callback == callback]


@dataclass
class World:
    """A store, a hub, a webhook whose answers are set, and one clock for all."""

    time: float = START
    store: MemoryStorage = field(default_factory=lambda: MemoryStorage([SUBSCRIPTION_KIND]))
    numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store.events = self.events = MemoryEvents(self.now)
        self.webhook = FakeWebhook(self.now)
        self.hub = Hub(self.store, parse, SsrfGuard(LOOPBACK), api_of={"ticket": "tickets", "order": "orders"})

    def now(self) -> float:
        return self.time

    def worker(self, owner: str = "one", **settings: Any) -> Delivery:
        chosen = DeliverySettings(**{"poll": 0.0, **settings})
        return Delivery(self.events, self.hub, self.webhook, chosen, now=self.now, chance=lambda: 0.5, owner=owner)

    async def listen(self, name: str, query: str | None = None, api: str = "tickets") -> str:
        return (await self.hub.register(api, f"http://127.0.0.1/{name}", query)).subscription.id

    def happen(self, resource: str, *ids: str, kind: str = "ticket", **members: Any) -> None:
        for id in ids:
            revision = self.numbers[resource] = self.numbers.get(resource, 0) + 1
            event = {"eventId": id, "eventType": "X", **members}
            self.events.append(Change(kind, resource, revision - 1, (), (event,)))

    def got(self, name: str) -> list[str]:
        return self.webhook.ids(f"http://127.0.0.1/{name}")

    def answer(self, name: str, *outcomes: Outcome) -> None:
        self.webhook.outcomes[f"http://127.0.0.1/{name}"] = list(outcomes)

    def block(self, name: str) -> asyncio.Event:
        return self.webhook.blocked.setdefault(f"http://127.0.0.1/{name}", asyncio.Event())


async def turn(worker: Delivery) -> None:
    await worker.turn()
    await worker.wait_until_idle()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  what is waited for happens in other tasks of this loop
            await asyncio.sleep(0)
