"""The places of event streams: reserved before the answer, and given back on every way out."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from tmf_sales.access import FULL_ACCESS, Principal
from tmf_sales.apis.event_log import EventHandlers, EventSettings
from tmf_sales.contract.loader import Contract
from tmf_sales.engine.request import Request, StreamedResponse
from tmf_sales.errors import InvalidFilter, TooManyRequests
from tmf_sales.http.streaming import STREAM_ENDS, send_stream
from tmf_sales.storage.events import AUDIT_RECORD
from tmf_sales.storage.memory.events import MemoryEvents
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import StorageUnavailable
from tmf_sales.storage.records import Change

CONTRACT = Contract(Path(__file__).parents[2] / "openapi/tmf699-sales-v4.yaml")
MOST = 2


class SlowLog(MemoryEvents):
    """A log that lets others run before it says where it ends, or is unavailable."""

    is_available = True

    async def end_of_log(self) -> str:
        await asyncio.sleep(0)
        if not self.is_available:
            raise StorageUnavailable("the store is away")
        return await super().end_of_log()


class World:
    """The event operations of one API above a store in memory."""

    def __init__(self) -> None:
        self.looks = 0
        self.log = SlowLog(lambda: 0.0)
        store = MemoryStorage([])
        store.events = self.log
        settings = EventSettings(streams_per_caller=MOST)
        self.handlers = EventHandlers(CONTRACT, store, lambda _: self._seen_by, settings)

    def _seen_by(self, kind: str) -> Any:
        self.looks += 1
        return FULL_ACCESS

    def happen(self, id: str, event_type: str = "SalesLeadCreateEvent") -> None:
        event = {"eventId": id, "eventType": event_type, "event": {"salesLead": {"id": id}}}
        self.log.append(Change(CONTRACT.resources["salesLead"].kind, id, 0, (), (event,)))

    async def list(self, query: str = "", subject: str = "one") -> bytes:
        return (await self.handlers.list_events(request(query, subject, wants_stream=False))).text

    async def open(self, query: str = "", subject: str = "one") -> StreamedResponse:
        response = await self.handlers.list_events(request(query, subject))
        assert isinstance(response, StreamedResponse)
        return response

    async def assert_all_places_are_free(self) -> None:
        opened = [await self.open() for _ in range(MOST)]
        with pytest.raises(TooManyRequests):
            await self.open()
        for response in opened:
            response.release()


def request(query: str, subject: str, *, wants_stream: bool = True) -> Request:
    principal = Principal(subject, frozenset({"reader"}))
    return Request(
        "listEvent", "GET", {}, query, {}, "http://localhost", "c", principal=principal, wants_stream=wants_stream
    )


@pytest.fixture
def world() -> World:
    return World()


async def test_streams_opened_at_once_do_not_exceed_the_limit(world: World) -> None:
    opened = await asyncio.gather(*(world.open() for _ in range(5)), return_exceptions=True)

    responses = [each for each in opened if isinstance(each, StreamedResponse)]
    assert len(responses) == MOST
    assert sum(isinstance(each, TooManyRequests) for each in opened) == 3
    (await world.open(subject="two")).release()
    for response in responses:
        response.release()
    await world.assert_all_places_are_free()


async def test_a_request_that_fails_or_is_cancelled_takes_no_place(world: World) -> None:
    for _ in range(MOST + 1):
        with pytest.raises(InvalidFilter):
            await world.open("unknown=1")
    world.log.is_available = False
    for _ in range(MOST + 1):
        with pytest.raises(StorageUnavailable):
            await world.open()
    world.log.is_available = True
    opening = asyncio.create_task(world.open())
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)

    await world.assert_all_places_are_free()


async def disconnected() -> MutableMapping[str, Any]:
    return {"type": "http.disconnect"}


async def connected() -> MutableMapping[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_stream_gives_its_place_back_when_the_client_goes_or_the_service_stops(world: World) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    ends = asyncio.Event()
    ends.set()
    await send_stream({}, disconnected, send, await world.open())
    await send_stream({STREAM_ENDS: ends}, connected, send, await world.open())

    assert [message["status"] for message in sent if message["type"] == "http.response.start"] == [200, 200]
    await world.assert_all_places_are_free()


@pytest.mark.parametrize("failing", ["http.response.start", "http.response.body"])
async def test_a_stream_that_cannot_be_sent_gives_its_place_back(world: World, failing: str) -> None:
    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == failing:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await send_stream({}, connected, send, await world.open())

    await world.assert_all_places_are_free()


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_a_stream_that_is_cancelled_gives_its_place_back(world: World, turns: int) -> None:
    async def send(_: MutableMapping[str, Any]) -> None:
        await asyncio.sleep(0)

    sending = asyncio.create_task(send_stream({}, connected, send, await world.open()))
    for _ in range(turns):  # into the head, the start of the tasks, the first message
        await asyncio.sleep(0)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)

    await world.assert_all_places_are_free()


async def test_visibility_is_computed_once_for_each_event(world: World) -> None:
    for id in ("1", "2"):
        world.happen(id)
    world.happen("3", AUDIT_RECORD)

    listed = await world.list("eventType=SalesLeadCreateEvent")

    assert listed.count(b"eventId") == 2
    assert world.looks == 2
    assert await world.list("eventType=SalesLeadDeleteEvent") == b"[]"
