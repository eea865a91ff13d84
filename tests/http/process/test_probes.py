"""/ready asks the store at most once a second, and fails while the process drains."""

from __future__ import annotations

import asyncio

import pytest

from tmf_sales.errors import Unavailable
from tmf_sales.http import probes as probes_module
from tmf_sales.http.probes import Readiness


class Store:
    """Counts how often it is asked; `is_up` says what it answers."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_up = True
        self.answers = asyncio.Event()
        self.answers.set()

    async def ping(self) -> None:
        self.asked += 1
        await self.answers.wait()
        if not self.is_up:
            raise Unavailable("away")


async def test_many_callers_share_one_check() -> None:
    store = Store()
    readiness = Readiness(store.ping)

    assert await asyncio.gather(*(readiness.is_ready() for _ in range(100))) == [True] * 100
    assert store.asked == 1


async def test_the_store_is_asked_again_after_the_interval() -> None:
    now = [0.0]
    store = Store()
    readiness = Readiness(store.ping, 1.0, lambda: now[0])
    assert await readiness.is_ready()
    store.is_up = False
    assert await readiness.is_ready()

    now[0] = 1.0

    assert not await readiness.is_ready()
    assert store.asked == 2
    assert readiness.reason == "away"


async def test_a_caller_that_goes_away_leaves_the_check_to_the_others() -> None:
    store = Store()
    store.answers.clear()
    readiness = Readiness(store.ping)
    leaves, stays = (asyncio.create_task(readiness.is_ready()) for _ in range(2))
    await asyncio.sleep(0)

    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    store.answers.set()

    assert await stays


async def test_a_store_that_hangs_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes_module, "CHECK_TIMEOUT", 0.0)
    store = Store()
    store.answers.clear()

    readiness = Readiness(store.ping)
    assert not await readiness.is_ready()
    assert readiness.reason == "The store does not answer"


async def test_callers_of_a_check_that_hangs_are_answered_at_the_same_time() -> None:
    now = [0.0]
    store = Store()
    store.answers.clear()
    readiness = Readiness(store.ping, clock=lambda: now[0])
    first = asyncio.create_task(readiness.is_ready())
    await asyncio.sleep(0)

    now[0] = probes_module.ANSWER_TIMEOUT

    assert not await readiness.is_ready()
    assert readiness.reason == "The store does not answer"
    assert not first.done()
    assert store.asked == 1
    store.answers.set()
    assert await first


async def test_nobody_waits_for_the_end_of_a_check_that_was_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes_module, "CHECK_TIMEOUT", 0.0)
    monkeypatch.setattr(probes_module, "ANSWER_TIMEOUT", 0.0)
    now = [0.0]
    store, may_end = Store(), asyncio.Event()

    async def slow_to_end() -> None:
        store.asked += 1
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()

    readiness = Readiness(slow_to_end, clock=lambda: now[0])
    assert not await readiness.is_ready()
    now[0] = 60.0
    assert not await readiness.is_ready()
    assert store.asked == 1, "a check that has not ended is the only one"

    may_end.set()
    while store.asked == 1:  # the next check begins once the first one has ended
        assert not await readiness.is_ready()
        await asyncio.sleep(0)


async def test_a_result_that_was_late_for_one_caller_serves_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes_module, "ANSWER_TIMEOUT", 0.0)
    store = Store()
    store.answers.clear()
    readiness = Readiness(store.ping, clock=lambda: 0.0)
    assert not await readiness.is_ready()

    store.answers.set()
    assert readiness._check is not None
    await readiness._check

    assert await readiness.is_ready()
    assert store.asked == 1
