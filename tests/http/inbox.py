"""A receiver in this process that keeps what it gets, for tests to take out and look at."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

PATIENCE = 60.0
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Post:
    """What was posted: header names in lower case, and the body as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Document:
        event = orjson.loads(self.body)
        assert isinstance(event, dict)
        return event


@dataclass(slots=True)
class Inbox:
    """Posts in the order in which they came. `answers` are given one after the other, then that `by_path`, or 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    by_path: dict[str, int] = field(default_factory=dict)
    _posts: queue.Queue[Post] = field(default_factory=queue.Queue)

    def take(self, count: int = 1) -> list[Post]:
        return [self._posts.get(timeout=PATIENCE) for _ in range(count)]

    def events(self, count: int = 1) -> list[Document]:
        return [post.event for post in self.take(count)]

    def until(self, is_last: Callable[[Document], bool]) -> list[Document]:
        """The different events up to the first one that `is_last` holds for; delivery is at least once."""
        found: dict[str, Document] = {}
        while True:
            [event] = self.events()
            found.setdefault(event["eventId"], event)
            if is_last(event):
                return list(found.values())

    @property
    def is_empty(self) -> bool:
        return self._posts.empty()

    def put(self, post: Post, path: str) -> int:
        self._posts.put(post)
        return self.answers.pop(0) if self.answers else self.by_path.get(path, 204)


@contextmanager
def inbox() -> Iterator[Inbox]:
    made = Inbox()

    class Reception(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = PATIENCE

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(made.put(Post(headers, body), self.path))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Reception) as server:
        server.daemon_threads = True
        made.url = f"http://127.0.0.1:{server.server_address[1]}/events"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
