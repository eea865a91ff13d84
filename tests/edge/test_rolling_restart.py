"""Services restart under load: behind nginx no request fails, and without it no connection is reset."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Self

import httpx
import pytest
from tests.edge.nginx import Proxy, client_of, needs_nginx, nginx
from tests.service import Service, start_service

LEADS = "/tmf-api/sales/v4/salesLead"
CLIENTS = 3
SETTINGS = {
    "TMF_SALES_TRUSTED_PROXIES": "127.0.0.1",
    "TMF_SALES_TRUSTED_HOSTS": "crm.example.com",
    "TMF_SALES_DRAIN": "1",
}


class Clients:
    """Clients that send one request after the other, and count what they get."""

    def __init__(self, count: int) -> None:
        self.results: Counter[str] = Counter()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        raise NotImplementedError


class Load(Clients):
    """Clients that create and read leads through the proxy."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(CLIENTS)
        self.moved = threading.Event()
        self._proxy = proxy

    def _call(self) -> None:
        with client_of(self._proxy) as client:
            while not self._over.is_set():
                try:
                    created = client.post(LEADS, json={"name": "rolling"})
                    read = client.get(f"{LEADS}/{created.json()['id']}") if created.status_code == 201 else created
                    self.results[f"{created.status_code} {read.status_code}"] += 1
                except httpx.HTTPError as error:
                    self.results[repr(error)] += 1
                self.moved.set()

    def wait_for_more(self) -> None:
        """Wait until a request has been answered after now."""
        for _ in range(CLIENTS + 1):
            self.moved.clear()
            assert self.moved.wait(60)


@pytest.mark.full
@needs_nginx
def test_a_rolling_restart_fails_no_request(tmp_path: Path) -> None:
    def started(name: str, *options: str) -> Service:
        store = f"sqlite:///{tmp_path}/store.sqlite"
        return start_service(tmp_path / f"{name}.log", "--store", store, "--no-delivery", *options, environ=SETTINGS)

    running = [started("first"), started("second")]
    ports = [service.port for service in running]
    try:
        with nginx(tmp_path, ports) as proxy, Load(proxy) as load:
            for number, port in enumerate(ports):
                load.wait_for_more()
                running[number].stop()
                load.wait_for_more()
                running[number] = started(f"again{number}", "--port", str(port))
                load.wait_for_more()
    finally:
        for service in running:
            service.abandon()

    assert set(load.results) == {"201 200"}


RESTARTS = 3
MOST_RESETS = 3
"""None was seen in 6 restarts. Without the filter of server/ports.py, which a sandbox may not allow, the system resets
what it connects between the last accept and the close: up to 3 of 400 connections in 8 closes. 47 were seen when the
port listened before a worker did."""


class Connections(Clients):
    """Clients that open a connection for each request."""

    def __init__(self, port: int) -> None:
        super().__init__(2 * CLIENTS)
        self._port = port

    def _call(self) -> None:
        while not self._over.is_set():
            self.results[self._outcome()] += 1

    def _outcome(self) -> str:
        try:
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        except ConnectionRefusedError:
            time.sleep(0.001)
            return "refused"
        with connection:
            try:
                connection.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return connection.recv(12).decode()
            except OSError as error:
                return repr(error)


@pytest.mark.full
def test_connections_are_served_or_refused_while_a_service_of_two_workers_restarts(tmp_path: Path) -> None:
    options = ["--store", f"sqlite:///{tmp_path}/store.sqlite", "--workers", "2"]
    service = start_service(tmp_path / "first.log", *options)
    try:
        with Connections(service.port) as calls:
            for number in range(RESTARTS):
                port = service.port
                service.stop()
                service = start_service(tmp_path / f"again{number}.log", *options, "--port", str(port))
        service.stop()
    finally:
        service.abandon()

    resets = sum(count for result, count in calls.results.items() if result not in {"HTTP/1.1 200", "refused"})
    assert resets <= MOST_RESETS, calls.results
