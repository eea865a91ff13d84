"""Changes of one resource follow each other within a process."""

from __future__ import annotations

import asyncio

import pytest

from tmf_sales.engine.locks import ResourceLocks
from tmf_sales.engine.request import Request, Response
from tmf_sales.errors import Conflict


def change_of(id: str, status: int = 0) -> Request:
    return Request("patch", "PATCH", {"id": id}, str(status), {}, "http://host", "")


async def test_changes_of_one_resource_follow_each_other_in_the_order_of_their_coming() -> None:
    seen: list[str] = []

    async def handler(request: Request) -> Response:
        seen.append(f"{request.raw_query} starts")
        await asyncio.sleep(0)
        seen.append(f"{request.raw_query} ends")
        return Response(int(request.raw_query))

    in_turn = ResourceLocks().serialized(handler)
    results = await asyncio.gather(*(in_turn(change_of("x", number)) for number in range(3)))

    assert [result.status for result in results] == [0, 1, 2]
    assert seen == [f"{number} {what}" for number in range(3) for what in ("starts", "ends")]


async def test_changes_of_other_resources_do_not_wait() -> None:
    let_go = asyncio.Event()

    async def handler(request: Request) -> Response:
        if request.path_parameters["id"] == "slow":
            await let_go.wait()
        return Response(200)

    in_turn = ResourceLocks().serialized(handler)
    slow = asyncio.ensure_future(in_turn(change_of("slow")))
    await in_turn(change_of("quick"))

    assert not slow.done()
    let_go.set()
    assert (await slow).status == 200


async def test_who_fails_or_is_given_up_lets_the_next_one_have_its_turn() -> None:
    async def handler(request: Request) -> Response:
        if request.raw_query == "1":
            raise Conflict("refused")
        if request.raw_query == "2":
            await asyncio.Event().wait()
        return Response(200)

    in_turn = ResourceLocks().serialized(handler)
    failing, endless, last = (asyncio.ensure_future(in_turn(change_of("x", number))) for number in (1, 2, 3))
    with pytest.raises(Conflict):
        await failing
    endless.cancel()

    assert (await last).status == 200
