"""A client that offers another protocol on the way (Java's HttpClient offers HTTP/2) is served as if it had not."""

from __future__ import annotations

import socket
from http.client import HTTPResponse

import pytest
from tests.http.conftest import Services
from tests.service import Service

BODY = b'{"name": "x", "description": "\\r\\nUpgrade: not a header"}'
HEAD = (
    b"POST /tmf-api/sales/v4/salesLead HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQBAAAAAAIAAAAA\r\n"
)
WITH_LENGTH = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY)
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def service(services: Services) -> Service:
    return services.on("memory")


@pytest.mark.parametrize(
    "parts",
    [(WITH_LENGTH + BODY,), (WITH_LENGTH, BODY), (CHUNKED + CHUNKS,), (CHUNKED, CHUNKS)],
    ids=["at once", "head first", "chunked at once", "chunked, head first"],
)
def test_the_body_of_a_request_that_offers_an_upgrade_is_read(parts: tuple[bytes, ...], service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):  # the connection stays open for the next request
            for part in parts:
                connection.sendall(part)
            with HTTPResponse(connection) as answer:
                answer.begin()
                assert answer.status == 201
                answer.read()
