"""Writes stores of this release to tests/storage/fixtures/<version>/, with the data a later release must find in them.

The running service fills them: resources with versions and changes, a deletion, a subscription, a creation with an
idempotency key. The script adds a failed delivery, and writes whose events a crash left in their documents.
"""

from __future__ import annotations

import asyncio
import gzip
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import orjson
from bson import json_util
from pymongo import MongoClient

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.mongodb.server import MongoServer  # noqa: E402
from tests.service import start_service  # noqa: E402

import tmf_sales  # noqa: E402
from tmf_sales.app.context import stored_kinds  # noqa: E402
from tmf_sales.contract.files import contracts_folder  # noqa: E402
from tmf_sales.contract.loader import load_contracts  # noqa: E402
from tmf_sales.events.subscriptions import SUBSCRIPTION  # noqa: E402
from tmf_sales.storage.events import AttemptRecord, FanOut, Step  # noqa: E402
from tmf_sales.storage.factory import open_store  # noqa: E402
from tmf_sales.storage.mongo.outbox import Outbox  # noqa: E402
from tmf_sales.storage.protocol import Storage  # noqa: E402
from tmf_sales.storage.records import Change, Version  # noqa: E402
from tmf_sales.storage.sqlite.bulk import back_up  # noqa: E402
from tmf_sales.transfer.lines import written  # noqa: E402

CONTRACTS = load_contracts(contracts_folder())
KINDS = stored_kinds(CONTRACTS)
SALES, QUOTES = "/tmf-api/sales/v4", "/tmf-api/quoteManagement/v4"
MERGE = {"Content-Type": "application/merge-patch+json"}
FANNED = 4


def fill(url: str, folder: Path) -> None:
    """Fill the store through the API, as clients do."""
    options = ("--store", url, "--seed", "--no-delivery")
    with start_service(folder / "log", *options) as service, httpx.Client(base_url=service.url) as client:

        def send(method: str, path: str, body: object = None, **headers: str) -> Any:
            answer = client.request(method, path, json=body, headers=headers).raise_for_status()
            return answer.json() if answer.content else None

        send("POST", f"{SALES}/hub", {"callback": "http://127.0.0.1:9/"})
        send("POST", f"{QUOTES}/hub", {"callback": "http://127.0.0.1:9/", "query": "eventType=QuoteStateChangeEvent"})
        lead = send("POST", f"{SALES}/salesLead", {"name": "grüße 新", "rating": "hot"}, **{"Idempotency-Key": "k1"})
        send("PATCH", f"{SALES}/salesLead/{lead['id']}", {"status": "inProgress", "extra": {"a": [1, 1.5]}}, **MERGE)
        gone = send("POST", f"{SALES}/salesLead", {"name": "gone"})
        send("DELETE", f"{SALES}/salesLead/{gone['id']}")
        quote = send("POST", f"{QUOTES}/quote", {"quoteItem": [{}], "description": "the first"})
        send("POST", f"{QUOTES}/quote", {"id": quote["id"], "version": "2", "quoteItem": [{}, {}]})
        send("PATCH", f"{QUOTES}/quote/{quote['id']}", {"description": "the second"}, **MERGE)


async def fail_delivery(store: Storage) -> None:
    """Fan out some events and record a failed attempt; the delivery queues remain."""
    await store.events.sweep()
    [first, *_] = await store.walk(SUBSCRIPTION, "", 1)
    events = (await store.events.not_fanned_out(FANNED))[:FANNED]
    now = time.time()
    fans = [FanOut(event, [first.id], [first.id]) for event in events]
    [delivery, *_] = await store.events.fan_out(fans, "worker", now + 10, now)
    attempt = AttemptRecord(first.id, events[0].id, now, 0.25, 500, "not now", None)
    await store.events.record(
        [Step(delivery, delivery.first, failures=1, due=now + 60, attempt=attempt)], "worker", now + 10
    )


async def crash(store: Storage) -> None:
    """Change one resource and delete another; in MongoDB the events of these writes stay in the documents."""
    changed, deleted = await store.walk("tmf699/salesLead", "", 2)
    with patch.object(Outbox, "wake", lambda *_: None):
        document = {**changed.current.document, "description": "changed before the crash"}
        version = Version(changed.revision + 1, document)
        event = {"eventId": "changed-before-the-crash", "eventTime": "2026-01-01T00:00:00.000Z"}
        await store.commit(Change("tmf699/salesLead", changed.id, changed.revision, (version,), (event,)))
        event = {**event, "eventId": "deleted-before-the-crash"}
        await store.commit(Change("tmf699/salesLead", deleted.id, deleted.revision, (), (event,)))


async def left_behind(url: str) -> None:
    store = open_store(url, KINDS)
    await store.open()
    try:
        await fail_delivery(store)
        await crash(store)
    finally:
        await store.close()


async def found_in(url: str) -> dict[str, Any]:
    """The data a later release must find: export lines, event ids by resource, delivery queues by subscription."""
    store = open_store(url, KINDS)
    await store.open()
    try:
        await store.events.sweep()
        events, _ = await store.events.log(None, 0, 1000)
        event_ids: dict[str, list[str]] = {}
        for event in sorted(events, key=lambda event: event.order):
            event_ids.setdefault(f"{event.kind} {event.resource}", []).append(event.id)
        return {
            "resources": {kind.name: await lines(store, kind.name) for kind in KINDS},
            "events": event_ids,
            "lanes": await store.events.waiting(),
            "attempts": len(await store.events.attempts(subscription=None, since=0, limit=100)),
        }
    finally:
        await store.close()


async def lines(store: Storage, kind: str) -> list[str]:
    return [written(kind, unit).decode().rstrip("\n") for unit in await store.walk(kind, "", 1000)]


def dumped(url: str) -> bytes:
    """Dump the database: a line for each document, with its collection, in MongoDB's extended JSON."""
    rows: list[str] = []
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        for name in sorted(database.list_collection_names()):
            for document in database[name].find({}, sort=[("_id", 1)]):
                row = {"collection": name, "document": document}
                rows.append(json_util.dumps(row, json_options=json_util.CANONICAL_JSON_OPTIONS))
    return "".join(f"{row}\n" for row in rows).encode()


def keep(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(gzip.compress(content, mtime=0))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def keep_sqlite(target: Path, folder: Path) -> None:
    url, copy = f"sqlite:///{folder}/store.sqlite", folder / "copy.sqlite"
    fill(url, folder)
    asyncio.run(left_behind(url))
    back_up(folder / "store.sqlite", copy)
    keep(target, "sqlite.gz", copy.read_bytes())
    keep(target, "sqlite.json.gz", orjson.dumps(asyncio.run(found_in(url)), option=orjson.OPT_INDENT_2))


def keep_mongo(target: Path, folder: Path) -> None:
    with MongoServer(folder / "mongo") as server:
        url = f"{server.uri}/sales"
        fill(url, folder)
        asyncio.run(left_behind(url))
        keep(target, "mongo.gz", dumped(url))
        keep(target, "mongo.json.gz", orjson.dumps(asyncio.run(found_in(url)), option=orjson.OPT_INDENT_2))


def main(arguments: Sequence[str]) -> None:
    if arguments:
        raise SystemExit("this takes no arguments")
    target = ROOT / "tests/storage/fixtures" / tmf_sales.__version__
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        keep_sqlite(target, Path(folder))
        keep_mongo(target, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
