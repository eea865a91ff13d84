"""The bounds that the requests of one worker share: places, arriving bodies, memory for bodies, leaving answers."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from tmf_sales.errors import BodyTimeout, Unavailable
from tmf_sales.http.bounds import SMALL_BODY, BoundedRequest, Bounds
from tmf_sales.http.transfers import GRACE, LEAST_RATE, Transfers

Message = MutableMapping[str, Any]
LONG = 60.0


def bounds(deadline: float = LONG, max_concurrent: int = 1, body_memory: int = 10 * SMALL_BODY) -> Bounds:
    return Bounds(deadline=deadline, max_concurrent=max_concurrent, body_memory=body_memory)


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def dropped(_message: Message) -> None:
    pass


def parts(*sizes: int) -> Any:
    """A receive function: a body in parts of these sizes."""
    left = list(sizes)

    async def receive() -> Message:
        size = left.pop(0)
        return {"type": "http.request", "body": b"x" * size, "more_body": bool(left)}

    return receive


async def read_all(_scope: Message, receive: Any, _send: Any) -> None:
    while (await receive()).get("more_body", False):
        pass


async def test_a_request_without_a_place_is_rejected() -> None:
    shared = bounds()
    first = BoundedRequest(shared, never, dropped)
    with pytest.raises(Unavailable, match="Too many concurrent requests"):
        BoundedRequest(shared, never, dropped)

    first.end()

    BoundedRequest(shared, never, dropped).end()


async def test_a_request_takes_no_place_while_its_body_arrives() -> None:
    shared = bounds(max_concurrent=2)
    waiting = BoundedRequest(shared, never, dropped)
    task = asyncio.create_task(waiting.run(read_all, {}))
    await asyncio.sleep(0)

    assert shared.free == 2

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    waiting.end()
    assert shared.free == 2


async def test_a_whole_body_needs_a_place_again() -> None:
    shared = bounds()
    request = BoundedRequest(shared, parts(1, 1), dropped)
    assert (await request.receive())["more_body"]
    other = BoundedRequest(shared, never, dropped)

    with pytest.raises(Unavailable):
        await request.receive()

    other.end()
    request.end()
    assert shared.free == 1


async def test_what_comes_behind_a_body_is_no_body() -> None:
    shared = bounds()
    request = BoundedRequest(shared, parts(1, 1), dropped)
    await request.receive()
    await request.receive()
    assert shared.free == 0

    with pytest.raises(IndexError):
        await request.receive()
    request.end()


async def test_a_body_that_does_not_come_in_time_is_given_up() -> None:
    request = BoundedRequest(bounds(deadline=0), never, dropped)

    with pytest.raises(BodyTimeout, match="not complete within 0 seconds"):
        await request.run(read_all, {})
    request.end()


async def test_small_bodies_need_no_memory_of_large_ones() -> None:
    shared = bounds(body_memory=0)
    request = BoundedRequest(shared, parts(SMALL_BODY), dropped)

    await request.run(read_all, {})
    request.end()

    assert shared.free_body_memory == 0


async def test_the_memory_for_large_bodies_is_given_back() -> None:
    shared = bounds(body_memory=3 * SMALL_BODY)
    request = BoundedRequest(shared, parts(SMALL_BODY, SMALL_BODY, 2 * SMALL_BODY), dropped)

    with pytest.raises(Unavailable, match="large request bodies"):
        await request.run(read_all, {})
    request.end()

    assert shared.free_body_memory == 3 * SMALL_BODY


async def test_an_answer_in_pieces_needs_neither_place_nor_deadline() -> None:
    shared = bounds(deadline=0.01)
    sent: list[Message] = []
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 2:
            inside.set()
            await go_on.wait()

    async def answer(_scope: Message, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body", "body": b"x"})

    request = BoundedRequest(shared, never, send)
    task = asyncio.create_task(request.run(answer, {}))
    await inside.wait()
    assert shared.free == 1
    asyncio.get_running_loop().call_later(0.05, go_on.set)  # later than the deadline
    await task
    request.end()

    assert len(sent) == 3


async def test_large_answers_that_find_no_room_are_not_begun() -> None:
    shared = bounds(max_concurrent=2)
    shared.leaving = Transfers(1)
    shared.leaving.begin(1, lambda: None)
    request = BoundedRequest(shared, never, dropped)

    with pytest.raises(Unavailable, match="Too many large bodies"):
        await request.send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"999999")]})

    assert not request.started
    request.end()


async def test_an_answer_that_is_given_up_ends_without_an_error() -> None:
    shared = bounds()

    async def answer(_scope: Message, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"999999")]})
        for transfer in shared.leaving._under_way:
            asyncio.get_running_loop().call_soon(transfer.give_up)
        await asyncio.Event().wait()

    request = BoundedRequest(shared, never, dropped)
    await request.run(answer, {})
    request.end()

    assert shared.free == 1


def test_only_slow_transfers_give_way() -> None:
    now = [0.0]
    transfers = Transfers(2, lambda: now[0])
    given_up: list[str] = []
    slow = transfers.begin(1, lambda: given_up.append("slow"))
    quick = transfers.begin(1, lambda: given_up.append("quick"))
    with pytest.raises(Unavailable):
        transfers.begin(1, lambda: None)

    now[0] = 2 * GRACE
    quick.moved = int(2 * GRACE * LEAST_RATE)
    transfers.begin(1, lambda: None)

    assert given_up == ["slow"]
    slow.end()  # again, as its request does at its end
    with pytest.raises(Unavailable):
        transfers.begin(1, lambda: None)


def test_what_needs_more_room_than_there_is_may_be_under_way_alone() -> None:
    transfers = Transfers(1)
    large = transfers.begin(5, lambda: None)
    with pytest.raises(Unavailable):
        transfers.begin(1, lambda: None)

    large.end()

    transfers.begin(1, lambda: None)
