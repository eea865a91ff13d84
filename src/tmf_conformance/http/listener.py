"""Receives the events of the server under test, on a separate thread.

It stores every posted body and returns 201, as the specifications print it.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

BODY_LIMIT = 16 * 1024 * 1024
PATIENCE = 30  # seconds for one request of the server


class Delivered(NamedTuple):
    """One event. `path`: where it was posted; each registration has its own."""

    path: str
    body: bytes
    event: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.event.get("eventType"))

    def is_about(self, id: str) -> bool:
        """Whether the event holds the resource, in any member."""
        payload = self.event.get("event")
        return isinstance(payload, dict) and any(
            isinstance(each, dict) and each.get("id") == id for each in (payload, *payload.values())
        )


class Listener:
    """The receiver. `callback`: the URL at which the server reaches it; each registration adds its own path."""

    def __init__(self, address: tuple[str, int], callback: str, patience: float) -> None:
        """Bind the address; raise OSError when that fails."""
        self.callback = callback.rstrip("/")
        self.patience = patience
        self._delivered: list[Delivered] = []
        self._changed = threading.Condition()
        self._server = _Server(address, self._store)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def at(self, place: str) -> list[Delivered]:
        """The events for the registration whose callback ends with `place`."""
        with self._changed:
            return [each for each in self._delivered if each.path.endswith(f"/{place}")]

    def wait(self, place: str, wanted: Callable[[Delivered], bool]) -> Delivered | None:
        """The first event at this place for which `wanted` holds; None when it does not arrive in time."""
        end = time.monotonic() + self.patience
        with self._changed:
            while True:
                for each in self._delivered:
                    if each.path.endswith(f"/{place}") and wanted(each):
                        return each
                if not self._changed.wait(max(0.0, end - time.monotonic())):
                    return None

    def _store(self, path: str, body: bytes) -> None:
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            event = None
        with self._changed:
            self._delivered.append(Delivered(path.partition("?")[0], body, event if isinstance(event, dict) else {}))
            self._changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], store: Callable[[str, bytes], None]) -> None:
        self.store = store
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    timeout = PATIENCE

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > BODY_LIMIT:
            self.close_connection = True
            self.send_error(413 if length.isdecimal() else 411)
            return
        self.server.store(self.path, self.rfile.read(int(length)))
        self.send_response(201)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Suppress the access log: the report has the events."""
