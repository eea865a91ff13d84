"""The bound on the time of a request behaves as asyncio.timeout does."""

from __future__ import annotations

import asyncio

import pytest

from tmf_sales.http.timeout import Timeout, Timeouts

LONG = 60.0


async def endless() -> None:
    await asyncio.Event().wait()


async def test_what_takes_too_long_ends_with_a_timeout() -> None:
    with pytest.raises(TimeoutError), Timeout(Timeouts(0)):
        await endless()

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_what_ends_in_time_is_left_alone() -> None:
    with Timeout(Timeouts(0.0)):
        found = 1
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert found == 1


async def test_an_error_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="own"), Timeout(Timeouts(LONG)):
        raise ValueError("own")


async def test_an_error_during_the_cancellation_wins() -> None:
    async def fail_when_cancelled() -> None:
        try:
            await endless()
        except asyncio.CancelledError:
            raise ValueError("while it ended") from None

    with pytest.raises(ValueError, match="while it ended"), Timeout(Timeouts(0)):
        await fail_when_cancelled()

    await asyncio.sleep(0)  # and nothing of the cancellation is left


@pytest.mark.parametrize("also_over", [False, True])
async def test_a_cancellation_from_elsewhere_stays_one(also_over: bool) -> None:
    inside = asyncio.Event()
    deadline = Timeout(Timeouts(LONG))

    async def bounded() -> None:
        with deadline:
            inside.set()
            await endless()

    task = asyncio.ensure_future(bounded())
    await inside.wait()
    task.cancel()
    if also_over:
        deadline.expire()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_outer_deadline_passes_through_the_inner_one() -> None:
    reported = []

    async def bounded_again() -> None:
        try:
            with Timeout(Timeouts(LONG)):
                await endless()
        except TimeoutError as error:
            reported.append(error)

    with pytest.raises(TimeoutError), Timeout(Timeouts(0)):
        await bounded_again()

    assert reported == []


async def test_each_timeout_of_one_length_ends_at_its_own_time() -> None:
    loop = asyncio.get_running_loop()
    timeouts = Timeouts(0.05)

    async def seconds_until_the_end() -> float:
        began = loop.time()
        with pytest.raises(TimeoutError), Timeout(timeouts):
            await endless()
        return loop.time() - began

    with Timeout(timeouts):  # the one that sets the timer, and ends early
        first = asyncio.create_task(seconds_until_the_end())
        await asyncio.sleep(0)
    took = [await first, await seconds_until_the_end()]

    assert min(took) >= 0.049


def test_timeouts_go_on_in_another_event_loop() -> None:
    timeouts = Timeouts(0.01)

    async def end_one() -> None:
        with pytest.raises(TimeoutError), Timeout(timeouts):
            await endless()

    async def leave_one_behind() -> None:
        Timeout(timeouts).__enter__()

    asyncio.run(leave_one_behind())
    asyncio.run(end_one())
