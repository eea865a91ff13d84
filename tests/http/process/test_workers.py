"""Several workers: all of them serve, one that dies is replaced, and SIGTERM lets each finish what it has begun."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest
from tests.http.conftest import Services
from tests.service import SERVE, Service

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

CONNECTIONS = 64
LEADS = "/tmf-api/sales/v4/salesLead"
ESTABLISHED = "01"


@pytest.fixture
def service(services: Services, tmp_path: Path) -> Iterator[Service]:
    started = services.at(f"sqlite:{tmp_path}/store.sqlite", "--workers", "2")
    yield started
    if started.process.poll() is None:
        started.stop()
    else:
        started.abandon()


def workers_of(service: Service) -> set[int]:
    master = service.process.pid
    return set(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))


def connections_of(worker: int, port: int) -> int:
    """How many connections to the port the worker holds."""
    rows = [line.split() for line in Path(f"/proc/{worker}/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == ESTABLISHED}
    held = 0
    for descriptor in Path(f"/proc/{worker}/fd").iterdir():
        try:
            held += str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]") in inodes
        except FileNotFoundError:
            continue
    return held


def ask(connection: HTTPConnection, method: str = "GET", path: str = "/live", body: str | None = None) -> int:
    connection.request(method, path, body, {"Content-Type": "application/json"})
    with connection.getresponse() as answer:
        answer.read()
        return answer.status


def test_connections_are_dealt_out_to_all_workers(service: Service) -> None:
    with ExitStack() as ends:
        connections = [HTTPConnection("127.0.0.1", service.port) for _ in range(CONNECTIONS)]
        for connection in connections:
            ends.callback(connection.close)
            connection.connect()
        assert {ask(connection) for connection in connections} == {200}

        held = [connections_of(worker, service.port) for worker in workers_of(service)]

    assert len(held) == 2
    assert sum(held) == CONNECTIONS
    assert min(held) > 0


def test_what_one_worker_stored_every_worker_finds(service: Service) -> None:
    with ExitStack() as ends:
        connections = [HTTPConnection("127.0.0.1", service.port) for _ in range(CONNECTIONS)]
        for connection in connections:
            ends.callback(connection.close)
        assert ask(connections[0], "POST", LEADS, '{"name": "one"}') == 201

        for connection in connections:
            connection.request("GET", LEADS)
            with connection.getresponse() as answer:
                assert answer.headers["X-Total-Count"] == "1"
                answer.read()


def test_a_worker_that_dies_is_replaced(service: Service) -> None:
    before = workers_of(service)
    dead = min(before)
    os.kill(dead, signal.SIGKILL)

    while len(now := workers_of(service)) < 2 or dead in now:
        assert service.process.poll() is None

    assert len(now - before) == 1
    connection = HTTPConnection("127.0.0.1", service.port)
    assert ask(connection) == 200
    connection.close()


def test_sigterm_lets_a_request_finish_and_ends_well(service: Service) -> None:
    body = b'{"name": "late"}'
    head = (
        f"POST {LEADS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as client:
        client.sendall(head.encode())
        interim = b""
        while not interim.endswith(b"\r\n\r\n"):  # a worker has begun with the request
            byte = client.recv(1)
            assert byte, "the connection was closed"
            interim += byte
        client.sendall(body[:5])
        service.ask_to_end()
        while _listens(service.port):
            assert service.process.poll() is None
        client.sendall(body[5:])
        answer = b"".join(iter(lambda: client.recv(65536), b""))

    assert interim.startswith(b"HTTP/1.1 100 ")
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert service.exit_code() == 0


def test_a_second_service_on_the_port_is_refused(service: Service) -> None:
    for workers in ("1", "2"):
        second = subprocess.run(
            [*SERVE, "--port", str(service.port), "--workers", workers, "--store", "sqlite:other.sqlite"],
            capture_output=True,
            text=True,
            check=False,
        )

        assert second.returncode == 2
        assert second.stderr == f"Error: cannot listen on 127.0.0.1 port {service.port}: Address already in use\n"


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [("--store", "sqlite:{file}", "file is not a database"), ("--price-book", "{file}", "Error: ")],
)
def test_a_start_that_fails_in_the_workers_says_why_and_ends(tmp_path: Path, option: str, name: str, said: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text("neither a database nor a price book" * 100)
    options = {"--store": f"sqlite:{tmp_path}/store.sqlite"} | {option: name.format(file=broken)}

    started = subprocess.run(
        [*SERVE, "--port", "0", "--workers", "2", *(word for pair in options.items() for word in pair)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode > 0
    assert started.stdout == ""
    assert said in started.stderr
    assert "Traceback" not in started.stderr


def _listens(port: int) -> bool:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)
