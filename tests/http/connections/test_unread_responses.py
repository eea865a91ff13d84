"""Clients that ask for large pages and do not read them hold a bounded part of the memory, and keep nobody out."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path

import httpx
import pytest
from tests.http.conftest import SALES, Services
from tests.service import Service
from tests.wire import head

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

LEADS = f"{SALES}/salesLead"
CLIENTS = 80
MEBIBYTE = 1 << 20


def peak_memory(service: Service) -> int:
    """The most resident memory that the process has had, in bytes."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_unread_pages_hold_a_bounded_part_of_the_memory(services: Services) -> None:
    service = services.at("memory:", stack="asgi")  # stock Connexion keeps a thread for each response
    with httpx.Client(base_url=service.url, timeout=60) as client, contextlib.ExitStack() as ends:
        for name in ("x", "y"):
            note = [{"text": "n" * 60_000}] * 60
            client.post(LEADS, json={"name": name, "note": note}).raise_for_status()
        page = len(client.get(LEADS, headers={"Accept-Encoding": "identity"}).content)
        before = peak_memory(service)
        for _ in range(CLIENTS):
            wire = ends.enter_context(socket.socket())
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.connect(("127.0.0.1", service.port))
            wire.sendall(head("GET", LEADS))
            wire.recv(12, socket.MSG_WAITALL)  # it is answered
        assert client.get("/live").status_code == 200
        assert client.get(f"{LEADS}?limit=0").status_code == 206
        held = peak_memory(service) - before

    assert page > 6 * MEBIBYTE
    assert held < 160 * MEBIBYTE < CLIENTS * page / 3
