"""Calls the service's ASGI application repeatedly in one process, without a socket, to profile it.

    python -m scripts.benchmark.driver memory|sqlite [get|list|filter|post|merge|json]

prints the lowest processor time of each kind of request, or the profile of one kind. SQLite gets a new file each time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from scripts.benchmark.figures import FILTER, GET, JSON_PATCH, LIST, PATCH, POST
from scripts.benchmark.traffic import Sent, creations, sent

from tmf_sales.app import create_app
from tmf_sales.configuration.settings import Settings
from tmf_sales.http.middleware import App

BATCHES = 40
STORES = ("memory", "sqlite")

Message = MutableMapping[str, Any]


async def call(app: App, request: Sent) -> bytes:
    """Return the body of the response; raise RuntimeError when it is an error."""
    path, _, query = request.path.partition("?")
    headers = [(b"host", b"127.0.0.1:8080"), (b"accept", b"*/*")]
    if request.type:
        headers += [(b"content-type", request.type.encode()), (b"content-length", b"%d" % len(request.body))]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8080),
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "state": {},
    }
    answered: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Message) -> None:
        answered.append(message)

    await app(scope, receive, send)
    body: bytes = answered[1]["body"]
    if answered[0]["status"] >= 400:
        raise RuntimeError(body.decode())
    return body


class Lifespan:
    """Starts the application, and shuts it down at the end."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._over = asyncio.Event()
        self._started = asyncio.Event()

    async def __aenter__(self) -> None:
        self._task = asyncio.ensure_future(self._app({"type": "lifespan", "state": {}}, self._receive, self._send))
        await self._started.wait()

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self._task

    async def _receive(self) -> Message:
        if self._started.is_set():
            await self._over.wait()
            return {"type": "lifespan.shutdown"}
        return {"type": "lifespan.startup"}

    async def _send(self, message: Message) -> None:
        self._started.set()


@contextlib.contextmanager
def new_store(kind: str) -> Iterator[str]:
    """Yield the URL of an empty store of this kind; delete the store afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        yield f"sqlite:{Path(folder) / 'new.sqlite'}" if kind == "sqlite" else "memory:"


async def stored(app: App) -> list[str]:
    """Store the quotes that the reads need; return their ids."""
    return [json.loads(await call(app, creation))["id"] for creation in creations()]


async def timed(app: App, requests: Sequence[Sent], count: int) -> float:
    """Microseconds of processor time per request: the minimum of several batches, as the machine is shared."""
    best, endless = float("inf"), itertools.cycle(requests)
    for _ in range(BATCHES):
        batch = list(itertools.islice(endless, count))
        started = time.process_time()
        for request in batch:
            await call(app, request)
        best = min(best, (time.process_time() - started) / count)
    return best * 1e6


async def main(store: str, profile: str | None = None) -> None:
    app = create_app(Settings(store=store))
    async with Lifespan(app):
        ids = await stored(app)
        for request in (GET, LIST, FILTER, PATCH, JSON_PATCH, POST):
            requests = sent(request, ids)
            if profile and request.lower().startswith(profile):
                import cProfile
                import pstats

                profiler = cProfile.Profile()
                profiler.enable()
                await timed(app, requests, 80)
                profiler.disable()
                pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
            elif not profile:
                print(f"{request}: {await timed(app, requests, 100):.1f}", file=sys.stderr)


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser(prog="python -m scripts.benchmark.driver", description=__doc__)
    parser.add_argument("store", choices=STORES)
    parser.add_argument("profile", nargs="?", choices=["get", "list", "filter", "post", "merge", "json"])
    given = parser.parse_args()
    with new_store(given.store) as url:
        uvloop.run(main(url, given.profile))
