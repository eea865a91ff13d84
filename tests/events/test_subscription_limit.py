"""The limit of subscriptions of one caller, also where several register at once."""

from __future__ import annotations

import asyncio

import pytest

from tmf_sales.access import Principal
from tmf_sales.errors import DuplicateSubscription, TooManyRequests
from tmf_sales.events import subscription_limits
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard
from tmf_sales.events.subscription import Parsed
from tmf_sales.events.subscription_limits import SubscriptionLimits
from tmf_sales.events.subscriptions import SUBSCRIPTION_KIND, Hub, Registration
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import StorageUnavailable
from tmf_sales.storage.records import Change, Page, Record

CALLBACK = "http://127.0.0.1:9000/events"


def made(store: MemoryStorage, *, limit: int = 0, per_host: int = 0) -> Hub:
    def parse(api: str, raw: str) -> Parsed:
        raise NotImplementedError

    limits = SubscriptionLimits(limit, per_host)
    return Hub(store, parse, SsrfGuard(LOOPBACK), api_of={"ticket": "tickets"}, limits=limits)


@pytest.fixture
def store() -> MemoryStorage:
    return MemoryStorage([SUBSCRIPTION_KIND])


class Yielding(MemoryStorage):
    """A store during whose every step others have their turn, as with any that is not in this process."""

    async def get(self, kind: str, id: str) -> Record | None:
        await asyncio.sleep(0)
        return await super().get(kind, id)

    async def find(self, kind: str, query: Query) -> Page:
        await asyncio.sleep(0)
        found = await super().find(kind, query)
        await asyncio.sleep(0)
        return found

    async def commit(self, change: Change) -> int:
        await asyncio.sleep(0)
        return await super().commit(change)


async def registered_at_once(*hubs: Hub) -> list[object]:
    """What came of registering another callback at each of these, all at the same time."""
    each = (hub.register("tickets", f"{CALLBACK}/{number}", None) for number, hub in enumerate(hubs))
    return await asyncio.gather(*each, return_exceptions=True)


async def test_as_many_as_there_is_room_for_come_in_of_several_at_once() -> None:
    store = Yielding([SUBSCRIPTION_KIND])
    hub = made(store, limit=2)

    came = await registered_at_once(*[hub] * 5)

    assert [type(each) for each in came].count(Registration) == 2
    assert [type(each) for each in came].count(TooManyRequests) == 3
    assert len(await hub.subscriptions()) == len((await hub.active()).ids()) == 2


@pytest.mark.parametrize("count", range(2, 6))
async def test_several_processes_let_no_more_in_than_the_limit(count: int) -> None:
    store = Yielding([SUBSCRIPTION_KIND])
    await made(store, limit=2).register("tickets", CALLBACK, None)
    hubs = [made(store, limit=2) for _ in range(count)]

    came = await registered_at_once(*hubs)

    assert {type(each) for each in came} <= {Registration, TooManyRequests}
    assert len(await hubs[0].subscriptions()) == len((await hubs[0].active()).ids()) <= 2


async def test_the_same_registration_at_once_is_one_listener() -> None:
    for limit in (0, 1):
        store = Yielding([SUBSCRIPTION_KIND])
        hub, other = made(store, limit=limit), made(store, limit=limit)
        came = await asyncio.gather(
            *(each.register("tickets", CALLBACK, None) for each in (hub, other)), return_exceptions=True
        )

        assert sorted(type(each).__name__ for each in came) == ["DuplicateSubscription", "Registration"]
        assert [each.disabled for each in await hub.subscriptions()] == [None]


async def test_at_the_limit_a_second_registration_is_still_a_duplicate_and_a_disabled_one_enabled(
    store: MemoryStorage,
) -> None:
    hub = made(store, limit=1)
    id = (await hub.register("tickets", CALLBACK, None)).subscription.id

    with pytest.raises(DuplicateSubscription):
        await hub.register("tickets", CALLBACK, None)
    with pytest.raises(TooManyRequests):
        await hub.register("tickets", f"{CALLBACK}/2", None)
    assert await hub.subscriptions("tickets") == [await hub.get("tickets", id)]

    await hub.disable(id, "gone")
    assert (await hub.register("tickets", CALLBACK, None)).subscription.id in await hub.active()


async def test_beyond_the_limit_a_disabled_listener_stays_so(store: MemoryStorage) -> None:
    free = made(store)
    id = (await free.register("tickets", CALLBACK, None)).subscription.id
    await free.register("tickets", f"{CALLBACK}/2", None)
    await free.disable(id, "gone")

    with pytest.raises(TooManyRequests):
        await made(store, limit=1).register("tickets", CALLBACK, None)
    assert (await free.get("tickets", id)).disabled == "gone"


async def test_a_registration_that_was_broken_off_sends_nothing_and_can_be_made_again(
    store: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = made(store, limit=1)
    commit = store.commit

    async def dies_in_between(change: Change) -> int:
        if change.expected_revision:
            raise StorageUnavailable("away")
        return await commit(change)

    monkeypatch.setattr(store, "commit", dies_in_between)
    with pytest.raises(StorageUnavailable):
        await hub.register("tickets", CALLBACK, None)
    monkeypatch.setattr(store, "commit", commit)
    assert len(await hub.active()) == 0

    await hub.register("tickets", CALLBACK, None)

    assert len(await hub.active()) == 1


async def test_one_host_has_no_more_subscriptions_than_its_limit_whoever_registers_them(store: MemoryStorage) -> None:
    hub = made(store, per_host=2)
    for number in range(2):
        await hub.register("tickets", f"{CALLBACK}/{number}", None, owner=Principal(f"caller{number}", frozenset()))

    with pytest.raises(TooManyRequests, match="at most 2 subscriptions with this callback host"):
        await hub.register("tickets", "https://127.0.0.1:8443/", None)

    await hub.register("tickets", "http://127.0.0.2/", None)
    assert len(await hub.active()) == 3


async def test_subscriptions_at_a_host_are_counted_beyond_a_page(
    store: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_limits, "PAGE", 1)
    hub = made(store, per_host=2)
    for number in range(2):
        await hub.register("tickets", f"{CALLBACK}/{number}", None)

    with pytest.raises(TooManyRequests):
        await hub.register("tickets", f"{CALLBACK}/2", None)
