"""Receivers that accept and never respond: the service bounds its connections to them, and serves on."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from tests.http.conftest import SALES, Services
from tests.service import PATIENCE

HOSTS = [f"127.0.0.{number}" for number in range(1, 7)]
SUBSCRIPTIONS_PER_HOST = 4
IN_ALL, PER_HOST = 8, 2


class SilentReceiver:
    """Accepts connections at an address and never responds."""

    def __init__(self, host: str) -> None:
        self._listener = socket.create_server((host, 0))
        self._listener.setblocking(False)
        self._open: list[socket.socket] = []
        self.url = f"http://{host}:{self._listener.getsockname()[1]}"

    def open_connections(self) -> int:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._open.append(self._listener.accept()[0])
                self._open[-1].setblocking(False)
        for connection in [each for each in self._open if _is_closed(each)]:
            self._open.remove(connection)
            connection.close()
        return len(self._open)

    def close(self) -> None:
        for each in (self._listener, *self._open):
            each.close()


def _is_closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


@pytest.fixture
def receivers() -> Iterator[list[SilentReceiver]]:
    with contextlib.ExitStack() as ends:
        found = [SilentReceiver(host) for host in HOSTS]
        for each in found:
            ends.callback(each.close)
        yield found


def test_silent_receivers_hold_a_bounded_number_of_connections(
    services: Services, receivers: list[SilentReceiver]
) -> None:
    service = services.at(
        "memory:",
        TMF_SALES_CALLBACK_NETWORKS="127.0.0.0/8",
        TMF_SALES_DELIVERY_CONNECTIONS=str(IN_ALL),
        TMF_SALES_DELIVERY_CONNECTIONS_PER_HOST=str(PER_HOST),
    )
    with httpx.Client(base_url=service.url, timeout=60) as client:
        for receiver in receivers:
            for number in range(SUBSCRIPTIONS_PER_HOST):
                callback = {"callback": f"{receiver.url}/{number}"}
                assert client.post(f"{SALES}/hub", json=callback).status_code == 201
        for _ in range(5):
            assert client.post(f"{SALES}/salesLead", json={"name": "x"}).status_code == 201
        deadline = time.monotonic() + PATIENCE
        while not any(each.open_connections() for each in receivers):
            assert time.monotonic() < deadline, "nothing is delivered"
            client.get("/live")
        seen = []
        for number in range(40):
            assert client.post(f"{SALES}/salesLead", json={"name": f"lead {number}"}).status_code == 201
            assert client.get("/live").status_code == 200
            seen.append([each.open_connections() for each in receivers])

    assert max(map(sum, seen)) <= IN_ALL
    assert max(max(each) for each in seen) <= PER_HOST
