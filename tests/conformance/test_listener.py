"""The listener of a run: it keeps what is posted, and tells registrations apart; nothing that is posted stops it."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection

import httpx
import pytest

from tmf_conformance.http.listener import BODY_LIMIT, Listener

EVENT = {"eventId": "1", "eventType": "QuoteCreateEvent", "event": {"quote": {"id": "q1"}}}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener(("127.0.0.1", 0), "", 60.0) as made:
        made.callback = f"http://127.0.0.1:{made.port}"
        yield made


def test_an_event_is_answered_with_201_and_kept(listener: Listener) -> None:
    answer = httpx.post(f"{listener.callback}/one", json=EVENT)
    found = listener.wait("one", lambda each: each.type == "QuoteCreateEvent")

    assert answer.status_code == 201
    assert found is not None
    assert found.event == EVENT


def test_each_registration_has_a_path_of_its_own(listener: Listener) -> None:
    httpx.post(f"{listener.callback}/one?x=1", json=EVENT)

    assert len(listener.at("one")) == 1
    assert listener.at("another") == []


@pytest.mark.parametrize(
    ("event", "holds"),
    [
        (EVENT, True),
        ({"event": {"id": "q1"}}, True),
        ({"event": {"quote": {"id": "other"}}}, False),
        ({"event": {"quote": ["q1"]}}, False),
        ({"event": "q1"}, False),
        ({}, False),
    ],
)
def test_an_event_is_about_the_resource_that_it_holds(listener: Listener, event: object, holds: bool) -> None:
    httpx.post(f"{listener.callback}/one", json=event)

    assert listener.at("one")[0].is_about("q1") is holds


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"5", b"[" * 100_000, b"\xff"])
def test_what_is_no_event_is_kept_too(listener: Listener, body: bytes) -> None:
    answer = httpx.post(f"{listener.callback}/one", content=body)

    assert answer.status_code == 201
    assert (listener.at("one")[0].body, listener.at("one")[0].event) == (body, {})


def test_an_event_without_a_length_is_refused(listener: Listener) -> None:
    answer = httpx.post(f"{listener.callback}/one", content=iter([b"{}"]))

    assert answer.status_code == 411
    assert listener.at("one") == []


def test_an_event_that_is_too_large_is_refused(listener: Listener) -> None:
    client = HTTPConnection("127.0.0.1", listener.port, timeout=30)
    client.request("POST", "/one", headers={"Content-Length": str(BODY_LIMIT + 1)})

    assert client.getresponse().status == 413
    assert listener.at("one") == []


def test_what_does_not_come_is_given_up(listener: Listener) -> None:
    listener.patience = 0.01

    assert listener.wait("one", lambda _: True) is None
