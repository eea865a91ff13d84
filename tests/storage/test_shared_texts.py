"""Events on the memory store share the text of the version that they show."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import orjson
import pytest

from tmf_sales.storage.events import StoredEvent
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.records import Change, Kind, Version

TICKET = {"id": "1", "name": "Ä", "note": [{"text": 'a,"b"}}'}]}
SHOWN = {"id": "1", "href": "http://host/1", **TICKET}


def event(**members: Any) -> dict[str, Any]:
    return {"eventId": "e1", "eventTime": "2026-11-30T10:00:00.000Z", "eventType": "E", **members}


async def events_of(*versions: dict[str, Any], reported: dict[str, Any]) -> list[StoredEvent]:
    store = MemoryStorage([Kind("ticket")])
    stored = tuple(Version(1, version) for version in versions)
    await store.commit(Change("ticket", "1", 0, stored, (reported,)))
    found, _ = await store.events.log(None, 0, 10)
    return found


@pytest.mark.parametrize(
    "reported",
    [
        event(event={"ticket": SHOWN}),
        event(event={"ticket": orjson.Fragment(orjson.dumps(SHOWN))}),
        event(event={"ticket": {**SHOWN, "name": "an earlier one"}}),
        event(event={"ticket": SHOWN}, priority="low"),
        event(event={"ticket": [SHOWN]}),
        event(event=[{"ticket": SHOWN}]),
        event(event=[SHOWN]),
        event(note='{"name":"Ä"}}'),
        event(),
    ],
    ids=["document", "fragment", "other version", "in front", "in a list", "list at the end", "list", "string", "none"],
)
def test_the_text_of_an_event_is_what_it_would_be_without_sharing(reported: dict[str, Any]) -> None:
    [kept] = asyncio.run(events_of(TICKET, {"id": "1"}, reported=reported))

    assert kept.text == orjson.dumps(reported)
    assert kept.document == orjson.loads(orjson.dumps(reported))


def test_the_smallest_document_is_shared_like_any_other() -> None:
    reported = event(event={"ticket": {"id": "1"}})

    [kept] = asyncio.run(events_of({"id": "1"}, reported=reported))

    assert kept.text == orjson.dumps(reported)


def test_a_large_document_is_kept_once() -> None:
    large = {"id": "1", "text": "x" * 1_000_000}
    reported = event(event={"ticket": {"id": "1", "href": "http://host/1", "text": large["text"]}})
    tracemalloc.start()
    try:
        [kept] = asyncio.run(events_of(large, reported=reported))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert used < 1_200_000
    assert kept.text == orjson.dumps(reported)
