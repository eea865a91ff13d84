"""What ends a connection: requests that are no HTTP, and bodies that nobody wants. The client can read why."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
from tests.api import refusal
from tests.http.conftest import Services
from tests.service import Service
from tests.wire import Wire, head

LEADS = "/tmf-api/sales/v4/salesLead"
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def service(services: Services) -> Service:
    """The service itself: the reference stack has no bound on bodies."""
    return services.at("memory:", stack="asgi")


@pytest.fixture
def wire(service: Service) -> Iterator[Wire]:
    with Wire(service.port) as wire:
        yield wire


UNREADABLE = {
    "an unknown method": (head("FOO", LEADS), "the method is not an HTTP method"),
    "a target without end": (head("GET", f"{LEADS}?name={'x' * 70_000}"), "longer than 65535 bytes"),
    "a target that is not ASCII": (head("GET", f"{LEADS}/\xff"), "not a URL in ASCII"),
    "a negative length": (head("POST", LEADS, JSON, "Content-Length: -5"), "expected a whole number of bytes"),
    "two lengths": (
        head("POST", LEADS, JSON, "Content-Length: 5", "Transfer-Encoding: chunked"),
        "expected Content-Length or Transfer-Encoding, found both",
    ),
    "no size of a chunk": (
        head("POST", LEADS, JSON, "Transfer-Encoding: chunked") + b"xyz\r\n",
        "expected the size of a chunk as hexadecimal digits",
    ),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "the method is not an HTTP method"),
}


@pytest.mark.parametrize(("sent", "said"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_http_is_refused_by_the_error_body(wire: Wire, sent: bytes, said: str) -> None:
    wire.send(sent)

    answer = wire.answer()
    assert said in refusal(answer, 400, "badRequest")
    assert answer.headers["connection"] == "close"
    assert wire.is_closed()


@pytest.mark.parametrize("size", [4 * 1024 * 1024 + 1, 10 * 1024 * 1024])
def test_who_sends_a_body_that_is_too_large_to_its_end_reads_the_refusal(service: Service, size: int) -> None:
    for _ in range(3):
        client = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        client.request("POST", LEADS, b"x" * size, {"Content-Type": "application/json"})
        answer = client.getresponse()
        assert answer.status == 413
        assert b"bodyTooLarge" in answer.read()
        client.close()


def test_what_nobody_wants_is_not_read_for_ever(service: Service) -> None:
    with Wire(service.port) as wire:
        wire.send(head("POST", LEADS, JSON, "Transfer-Encoding: chunked"))
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            wire.send(*[chunk] * 200)
