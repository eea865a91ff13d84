"""Two services behind nginx are restarted one after the other under load, and no request fails."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

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


class Load:
    """Clients that create and read leads, one request after the other, and count what they get."""

    def __init__(self, proxy: Proxy) -> None:
        self.results: Counter[str] = Counter()
        self.moved = threading.Event()
        self._proxy = proxy
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CLIENTS)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

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
