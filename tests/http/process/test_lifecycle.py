"""How a service drains, ends and reloads: signals of an operator, with one worker and with several."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from tests.api import refusal
from tests.http.conftest import Services
from tests.service import Service
from tests.wire import Wire, head

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

LEADS = "/tmf-api/sales/v4/salesLead"
WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


@pytest.fixture
def start(services: Services, tmp_path: Path) -> Iterator[StartService]:
    with ExitStack() as ends:
        yield StartService(services, f"sqlite:{tmp_path}/store.sqlite", ends)


class StartService:
    def __init__(self, services: Services, store: str, ends: ExitStack) -> None:
        self._services = services
        self._store = store
        self._ends = ends

    def __call__(self, workers: str, **environ: str) -> Service:
        service = self._services.at(self._store, "--workers", workers, **environ)
        self._ends.callback(service.abandon)
        return service


def processes_of(service: Service) -> list[int]:
    """The process that was started, and its workers where it has some."""
    first = service.process.pid
    return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]


@WORKERS
@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_signals_of_other_programs_do_not_end_a_service(start: StartService, workers: str, name: str) -> None:
    service = start(workers)
    before = processes_of(service)

    for process in before:
        os.kill(process, getattr(signal, name))

    with httpx.Client(base_url=service.url) as client:
        assert {client.get("/live").status_code for _ in range(20)} == {200}
    assert processes_of(service) == before


@WORKERS
def test_a_service_that_drains_serves_on_and_says_that_it_is_not_ready(start: StartService, workers: str) -> None:
    service = start(workers, TMF_SALES_DRAIN="4")
    kept = HTTPConnection("127.0.0.1", service.port, timeout=60)
    kept.request("GET", LEADS)
    first = kept.getresponse()
    assert (first.status, first.read(), first.getheader("connection")) == (200, b"[]", None)

    service.ask_to_end()
    while (answer := httpx.get(f"{service.url}/ready")).status_code == 200:
        pass  # the signal is on its way to the workers

    refusal(answer, 503, "unavailable")
    kept.request("GET", LEADS)
    last = kept.getresponse()
    assert (last.status, last.read(), last.getheader("connection")) == (200, b"[]", "close")
    created = httpx.post(service.url + LEADS, json={"name": "x"})
    assert (created.status_code, created.headers["connection"]) == (201, "close")
    assert service.exit_code() == 0


def test_a_response_that_began_before_the_drain_does_not_end_its_connection(start: StartService) -> None:
    service = start("1", TMF_SALES_DRAIN="3600")
    for name in ("x", "y"):
        httpx.post(service.url + LEADS, json={"name": name, "note": [{"text": "n" * 60_000}] * 60}).raise_for_status()
    kept = HTTPConnection("127.0.0.1", service.port, timeout=60)
    kept.sock = socket.socket()
    kept.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that most of the response is not sent yet
    kept.sock.connect(("127.0.0.1", service.port))
    kept.request("GET", LEADS)
    first = kept.getresponse()

    service.ask_to_end()
    while httpx.get(f"{service.url}/ready").status_code == 200:
        pass

    assert (len(first.read()) > 7_200_000, first.getheader("connection")) == (True, None)
    kept.request("GET", f"{LEADS}?limit=0")
    last = kept.getresponse()
    assert (last.status, last.read(), last.getheader("connection")) == (206, b"[]", "close")
    service.ask_to_end()
    assert service.exit_code() == 0


def test_a_second_signal_ends_the_drain(start: StartService) -> None:
    service = start("1", TMF_SALES_DRAIN="3600")
    service.ask_to_end()
    while httpx.get(f"{service.url}/ready").status_code == 200:
        pass

    service.ask_to_end()

    assert service.exit_code() == 0


def test_ctrl_c_does_not_wait_for_the_drain(start: StartService) -> None:
    service = start("1", TMF_SALES_DRAIN="3600")

    os.kill(service.process.pid, signal.SIGINT)

    assert service.exit_code() == 0


def test_connections_in_the_accept_queue_are_served(start: StartService) -> None:
    service = start("1")
    os.kill(service.process.pid, signal.SIGSTOP)
    with ExitStack() as ends:
        wires = [ends.enter_context(Wire(service.port)) for _ in range(50)]
        for wire in wires:
            wire.send(head("GET", LEADS))
        service.ask_to_end()
        os.kill(service.process.pid, signal.SIGCONT)

        for wire in wires:
            answer = wire.answer()
            assert answer.status_code == 200
            assert wire.is_closed()  # whether the answer said so or was sent before the signal was handled

    assert service.exit_code() == 0
