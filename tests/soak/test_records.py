"""The soak notices a write or an event that is missing, made up or out of order, and a process that grows."""

from __future__ import annotations

import random
from collections.abc import Callable

import httpx
import pytest
from scripts.soak.load import Load, possible_descriptions
from scripts.soak.plan import SAMPLED
from scripts.soak.records import CREATE, EVENTS, PATCH, START, Lead, Records, Write
from scripts.soak.report import Figures, Sample, failures

LEAD = "lead"


def event(number: int, kind: str, id: str | None = None) -> dict[str, object]:
    return {
        "eventId": id or f"{number}-{kind}",
        "eventType": kind,
        "correlationId": str(number),
        "event": {"salesLead": {"id": LEAD}},
    }


def written() -> Records:
    """One lead: created, started and changed, each acknowledged."""
    records = Records()
    lead = records.lead(LEAD)
    lead.writes += [Write(1, CREATE, True), Write(2, START, True), Write(3, PATCH, True)]
    records.end(LEAD, lead)
    return records


def events() -> list[dict[str, object]]:
    return [event(number, kind) for number, what in ((1, CREATE), (2, START), (3, PATCH)) for kind in EVENTS[what]]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda found: found, ""),
        (lambda found: [found[0], *found], ""),
        (lambda found: found[:-1], "missing"),
        (lambda found: [*found, event(3, "SalesLeadDeleteEvent")], "made up"),
        (lambda found: [event(4, "SalesLeadDeleteEvent"), *found], "made up"),
        (lambda found: [*found, event(3, EVENTS[PATCH][0], "another")], "made up"),
        (lambda found: found[::-1], "out of order"),
    ],
    ids=["each once", "one again", "one missing", "another type", "of no write", "a second one", "out of order"],
)
def test_events_must_arrive_as_the_writes_were_made(
    change: Callable[[list[dict[str, object]]], list[dict[str, object]]], problem: str
) -> None:
    records = written()

    for each in change(events()):
        records.add_event(each)
    records.finish()

    assert bool(records.problems) == bool(problem)
    assert all(problem in found for found in records.problems)


def test_an_event_of_a_write_without_acknowledgement_may_arrive_or_not() -> None:
    for arrived in (events(), events()[:-1]):
        records = Records()
        lead = records.lead(LEAD)
        lead.writes += [Write(1, CREATE, True), Write(2, START, True), Write(3, PATCH)]
        records.end(LEAD, lead)
        for each in arrived:
            records.add_event(each)
        records.finish()
        assert records.problems == []


@pytest.mark.parametrize(
    ("acknowledged", "possible"), [((True, True), {3}), ((True, False), {2, 3}), ((False, False), {0, 2, 3})]
)
def test_a_lead_is_as_its_last_acknowledged_change_or_a_later_one(
    acknowledged: tuple[bool, bool], possible: set[int]
) -> None:
    changes = [Write(number, PATCH, sure) for number, sure in zip((2, 3), acknowledged, strict=True)]

    assert possible_descriptions(Lead([Write(1, CREATE, True), *changes])) == possible


@pytest.mark.parametrize(
    ("last", "failure"),
    [(Sample(1049, 18), None), (Sample(1051, 10), "memory grew"), (Sample(1000, 19), "descriptors more")],
)
async def test_a_process_that_grows_is_a_failure(last: Sample, failure: str | None) -> None:
    figures = Figures(samples={name: [Sample(1000, 10), last] for name in SAMPLED})
    async with httpx.AsyncClient() as client:
        found = list(failures(figures, Load(client, Records(), random.Random(1), "")))

    assert len(found) == (len(SAMPLED) if failure else 0)
    assert all(str(failure) in each for each in found)


@pytest.mark.parametrize(
    ("response", "is_error"),
    [
        (httpx.Response(503, headers={"Retry-After": "0"}), False),
        (httpx.Response(503), True),
        (httpx.Response(502, headers={"Retry-After": "0"}), True),
    ],
    ids=["announced", "without Retry-After", "of the proxy"],
)
async def test_only_an_announced_503_is_no_error(response: httpx.Response, is_error: bool) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: response), base_url="http://a") as client:
        load = Load(client, Records(), random.Random(1), "")
        assert await load._send("GET", "", 200) is None

    assert bool(load.errors) == is_error
    assert bool(load.statuses) != is_error
