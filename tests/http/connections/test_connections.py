"""Requests as they come over the wire: in pieces, too slow, too many, cut off (RFC 9112); and the end of a service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.api import refusal
from tests.http.conftest import Services
from tests.mongodb.server import MongoServer
from tests.service import Service
from tests.wire import Wire, chunked, head

LEADS = "/tmf-api/sales/v4/salesLead"
JSON = "Content-Type: application/json"
IN_CHUNKS = "Transfer-Encoding: chunked"
EXPECT = "Expect: 100-continue"


@pytest.fixture
def service(services: Services) -> Service:
    return services.on("memory")


@pytest.fixture
def wire(service: Service) -> Iterator[Wire]:
    with Wire(service.port) as wire:
        yield wire


def under_way(port: int, ends: ExitStack, body: bytes, path: str = LEADS) -> Wire:
    """A request whose head has come to the operation, which now waits for the body."""
    wire = ends.enter_context(Wire(port))
    wire.send(head("POST", path, JSON, EXPECT, f"Content-Length: {len(body)}"))
    assert wire.answer().status_code == 100
    return wire


def test_a_body_in_chunks_needs_no_length(wire: Wire) -> None:
    wire.send(head("POST", LEADS, JSON, IN_CHUNKS), *chunked(b'{"na', b'me":', b'"x"}'))

    assert wire.answer().status_code == 201


def test_a_body_byte_by_byte_is_a_body(wire: Wire) -> None:
    wire.send(head("POST", LEADS, JSON, IN_CHUNKS), *chunked(*(bytes([byte]) for byte in b'{"name":"x"}')))

    answer = wire.answer()
    assert answer.status_code == 201
    assert answer.json()["name"] == "x"


def test_an_empty_body_in_chunks_is_an_empty_body(wire: Wire) -> None:
    wire.send(head("POST", LEADS, JSON, IN_CHUNKS), *chunked())

    assert "the body is empty" in refusal(wire.answer(), 400, "malformedBody")


def test_a_request_without_a_body_has_an_empty_one(wire: Wire) -> None:
    wire.send(head("POST", LEADS, JSON))

    assert "the body is empty" in refusal(wire.answer(), 400, "malformedBody")


def test_a_body_that_nobody_asked_for_is_passed_over(wire: Wire) -> None:
    wire.send(head("GET", f"{LEADS}?id=none", JSON, IN_CHUNKS), *chunked(b"not", b"json"))
    assert wire.answer().status_code == 200

    wire.send(head("GET", f"{LEADS}?id=none"))
    assert wire.answer().status_code == 200


def test_several_requests_share_a_connection(wire: Wire) -> None:
    body = b'{"name":"x"}'
    wire.send((head("POST", LEADS, JSON, f"Content-Length: {len(body)}") + body) * 3)

    assert len({wire.answer().json()["id"] for _ in range(3)}) == 3


def test_a_length_over_the_limit_is_refused_before_the_body_is_sent(wire: Wire) -> None:
    wire.send(head("POST", LEADS, JSON, EXPECT, f"Content-Length: {4 * 1024 * 1024 + 1}"))

    answer = wire.answer()
    assert refusal(answer, 413, "bodyTooLarge") == "expected at most 4194304 bytes"
    assert answer.headers["connection"] == "close"
    assert wire.is_closed()


def test_an_absurd_length_is_refused(wire: Wire) -> None:
    wire.send(head("POST", LEADS, JSON, f"Content-Length: {2**63 - 1}"))

    refusal(wire.answer(), 413, "bodyTooLarge")


def test_chunks_are_counted_as_they_come(services: Services) -> None:
    with Wire(services.on("memory", TMF_SALES_BODY_LIMIT="1 KiB").port) as wire:
        wire.send(head("POST", LEADS, JSON, IN_CHUNKS), chunked(b'"' + b"a" * 1023)[0], chunked(b"a")[0])

        # The last chunk never comes: the answer does not wait for it.
        answer = wire.answer()
        assert refusal(answer, 413, "bodyTooLarge") == "expected at most 1024 bytes"
        assert wire.is_closed()


def test_chunks_up_to_the_limit_are_taken(services: Services) -> None:
    with Wire(services.on("memory", TMF_SALES_BODY_LIMIT="1 KiB").port) as wire:
        body = b'{"name":"%b"}' % (b"x" * 400) + b" " * 613
        wire.send(head("POST", LEADS, JSON, IN_CHUNKS), *chunked(body[:500], body[500:]))

        assert len(body) == 1024
        assert wire.answer().status_code == 201


def test_a_body_that_stops_in_the_middle_is_given_up(services: Services) -> None:
    with Wire(services.on("memory", TMF_SALES_REQUEST_DEADLINE="0.2").port) as wire:
        wire.send(head("POST", LEADS, JSON, "Content-Length: 100"), b'{"name":')

        answer = wire.answer()
        assert refusal(answer, 408, "bodyTimeout") == "It was not complete within 0.2 seconds"
        assert wire.is_closed()


def test_a_body_that_never_starts_is_given_up(services: Services) -> None:
    with Wire(services.on("memory", TMF_SALES_REQUEST_DEADLINE="0.2").port) as wire:
        wire.send(head("PATCH", f"{LEADS}/1", "Content-Type: application/merge-patch+json", IN_CHUNKS))

        refusal(wire.answer(), 408, "bodyTimeout")


def test_a_request_that_is_cut_off_has_no_effect(service: Service) -> None:
    name = "cut off before the last chunk"
    with Wire(service.port) as wire:
        wire.send(head("POST", LEADS, JSON, IN_CHUNKS, EXPECT))
        assert wire.answer().status_code == 100
        wire.send(chunked(b'{"name":"%b"}' % name.encode())[0])
        wire.end_sending()
        assert wire.is_closed()

    assert httpx.get(service.url + LEADS, params={"name": name}).json() == []


def test_half_sent_bodies_leave_the_places_for_work_free(services: Services) -> None:
    service = services.on("memory", TMF_SALES_MAX_CONCURRENT="2")
    with ExitStack() as ends:
        waiting = [under_way(service.port, ends, b'{"name":"x"}') for _ in range(2)]

        assert httpx.get(f"{service.url}{LEADS}?id=none").status_code == 200
        assert httpx.get(f"{service.url}/ready").status_code == 200
        for wire in waiting:
            wire.send(b'{"name":"x"}')
            assert wire.answer().status_code == 201


def test_a_body_that_stands_still_gives_way_to_a_new_one(services: Services) -> None:
    service = services.on("memory", TMF_SALES_MAX_CONCURRENT="2", TMF_SALES_REQUEST_DEADLINE="60")
    with ExitStack() as ends:
        waiting = [under_way(service.port, ends, b'{"name":"x"}') for _ in range(2)]

        answer = httpx.post(service.url + LEADS, json={"name": "new"})
        while answer.status_code == 503:  # for a second nobody counts as slow
            refusal(answer, 503, "unavailable")
            answer = httpx.post(service.url + LEADS, json={"name": "new"})

        assert answer.status_code == 201
        assert "too slowly" in refusal(waiting[0].answer(), 408, "bodyTimeout")
        waiting[1].send(b'{"name":"x"}')
        assert waiting[1].answer().status_code == 201


def test_large_bodies_share_the_memory_for_them(services: Services) -> None:
    service = services.on("memory", TMF_SALES_BODY_MEMORY="1 MiB", TMF_SALES_BODY_LIMIT="1 MiB")
    half, other = b" " * 600_000, b'{"name":"x"}'
    with ExitStack() as ends:
        first = under_way(service.port, ends, half + other)
        first.send(half)
        assert httpx.post(service.url + LEADS, json={"name": "small"}).status_code == 201
        answer = httpx.post(service.url + LEADS, content=half + other, headers={"Content-Type": "application/json"})
        while answer.status_code == 201:  # the first half has not arrived yet
            answer = httpx.post(service.url + LEADS, content=half + other, headers={"Content-Type": "application/json"})
        assert "large request bodies" in refusal(answer, 503, "unavailable")

        first.send(other)

        assert first.answer().status_code == 201
        again = httpx.post(service.url + LEADS, content=half + other, headers={"Content-Type": "application/json"})
        assert again.status_code == 201


def test_a_request_that_takes_too_long_is_answered_503(services: Services, tmp_path: Path) -> None:
    """Nothing answers on the database's side, as when a machine hangs."""
    environ = {"TMF_SALES_REQUEST_DEADLINE": "2", "TMF_SALES_NO_DELIVERY": "true"}
    with (
        MongoServer(tmp_path / "mongo") as database,
        services.at(f"{database.uri}/hangs", **environ) as service,
    ):
        database.pause()
        try:
            answer = httpx.get(f"{service.url}{LEADS}?id=none")
            message = refusal(answer, 503, answer.json()["code"])
            assert int(answer.headers["retry-after"]) >= 1
            # Either the store's own limit was first, or the request's.
            assert message in {"No response within 2 seconds", "the store failed, or did not answer in time"}
            assert httpx.get(f"{service.url}/live").status_code == 200
        finally:
            database.resume()


def test_a_service_that_ends_finishes_what_is_under_way(services: Services, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/store.sqlite"
    body = b'{"name":"the last one"}'
    with services.at(store) as service, ExitStack() as ends:
        wire = under_way(service.port, ends, body)
        service.ask_to_end()
        wire.send(body)
        created = wire.answer()
        assert service.exit_code() == 0

    assert created.status_code == 201
    with services.at(store) as again:
        assert httpx.get(f"{again.url}{LEADS}/{created.json()['id']}").json()["name"] == "the last one"


def test_a_service_that_ends_does_not_wait_for_ever(services: Services) -> None:
    environ = {"TMF_SALES_REQUEST_DEADLINE": "1"}
    with services.at("memory:", **environ) as service, ExitStack() as ends:
        wire = under_way(service.port, ends, b"never sent")
        service.ask_to_end()
        refusal(wire.answer(), 408, "bodyTimeout")
        assert service.exit_code() == 0


def test_two_services_share_a_file(services: Services, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/store.sqlite"
    with (
        services.at(store) as other,
        services.at(store) as one,
    ):
        made = httpx.post(one.url + LEADS, json={"name": "x"}).json()
        path = f"{LEADS}/{made['id']}"
        assert httpx.get(other.url + path).json()["name"] == "x"
        assert httpx.patch(other.url + path, json={"rating": "hot"}).json()["rating"] == "hot"
        one.stop()
        assert httpx.get(other.url + path).headers["etag"] == '"2"'
