"""Sets up the MongoDB driver and translates its errors into those of the storage protocol.

Every default can be overridden in the URI. The driver's error texts go to the log, never into a response.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import bson.errors
from pymongo import AsyncMongoClient, IndexModel, errors
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.monitoring import CommandListener, TopologyListener

from tmf_sales.storage.protocol import (
    AlreadyExists,
    NotStorable,
    RecordTooLarge,
    StorageUnavailable,
    StoreRefused,
    TookTooLong,
)

DEFAULT_DATABASE = "tmf_sales"
DEFAULTS: dict[str, Any] = {
    "appName": "tmf-sales",
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "retryReads": True,
    "retryWrites": True,
    "timeoutMS": 5000,
    "serverSelectionTimeoutMS": 2000,
    # A primary that stops answering is detected after the sum of these two; waiting operations are then retried.
    "heartbeatFrequencyMS": 2000,
    "connectTimeoutMS": 2000,
}

NOT_IMPLEMENTED = 238
PARALLEL_LISTS = 171
TOO_DEEP = 15
UNENCODABLE = (OverflowError, UnicodeEncodeError, bson.errors.InvalidDocument)
"""The driver's errors for a document that BSON cannot hold."""
TOO_LARGE = frozenset({10334, 17419, 17420})
INDEX_LIMITS = frozenset({67, 85, 86, PARALLEL_LISTS})
"""An index over two lists, one too many, or another one of the same name: nothing that waiting would change."""

log = logging.getLogger(__name__)


def make_client(uri: str, *listeners: TopologyListener | CommandListener) -> AsyncMongoClient[dict[str, Any]]:
    """Return the client for this process, not yet connected; it belongs to the running event loop."""
    given = {name.lower() for name, _ in _options(uri)}
    defaults = {name: value for name, value in DEFAULTS.items() if name.lower() not in given}
    return AsyncMongoClient(uri, event_listeners=listeners, **defaults)


def database_name(uri: str) -> str:
    return urlsplit(uri).path.strip("/") or DEFAULT_DATABASE


def check_uri(uri: str) -> None:
    """Raise ValueError, without the password, when `uri` is not valid or gives up confirmed writes (w=0)."""
    if any(name.lower() == "w" and value == "0" for name, value in _options(uri)):
        raise ValueError("the store's URL says w=0: writes would be lost without anybody noticing")
    if urlsplit(uri).scheme == "mongodb+srv":
        return  # Reading it needs DNS; the client does that.
    try:
        from pymongo.uri_parser import parse_uri

        parse_uri(uri)
    except (errors.PyMongoError, ValueError) as failure:
        raise ValueError(f"the store's URL is not a MongoDB URL: {type(failure).__name__}") from None


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into the protocol's."""
    try:
        yield
    except errors.DuplicateKeyError as failure:
        raise AlreadyExists("the id is taken") from failure
    except errors.DocumentTooLarge as failure:
        raise RecordTooLarge("the document is larger than the store can hold") from failure
    except UNENCODABLE as failure:
        raise NotStorable("the document has a number, text or name that BSON cannot hold") from failure
    except errors.ServerSelectionTimeoutError as failure:
        raise StorageUnavailable("no server of the store can be reached") from failure
    except errors.ExecutionTimeout as failure:
        raise TookTooLong("the store gave up; narrow the query") from failure
    except errors.PyMongoError as failure:
        _reject_broken_limit(failure)
        # `Availability` logs once that the store is away.
        level = logging.DEBUG if isinstance(failure, errors.ConnectionFailure) else logging.WARNING
        log.log(level, "the store failed: %s: %s", type(failure).__name__, failure)
        raise StorageUnavailable("the store failed, or did not answer in time") from failure


def _reject_broken_limit(failure: errors.PyMongoError) -> None:
    """Raise a specific error when the server rejected the document because of one of its own limits."""
    code, text = _write_error(failure)
    if code in TOO_LARGE:
        raise RecordTooLarge("the document is larger than the store can hold") from failure
    if code == TOO_DEEP:
        raise NotStorable("the document is nested deeper than the store can hold") from failure
    if code == PARALLEL_LISTS:
        members = " and ".join(re.findall(r"\[([^\]]*)\]", text))
        raise NotStorable(f"one index covers {members}, so at most one of them may be a list") from failure


def reject_unconfirmed(failure: errors.BulkWriteError) -> None:
    """Raise StorageUnavailable when no majority has confirmed the writes that did not fail."""
    if unconfirmed := failure.details.get("writeConcernErrors"):
        log.warning("the store did not confirm writes: %s", unconfirmed[0].get("errmsg"))
        raise StorageUnavailable("the store failed, or did not answer in time") from failure


def _write_error(failure: errors.PyMongoError) -> tuple[int | None, str]:
    """Return the server's code and text; for a bulk write, those of its first error."""
    if isinstance(failure, errors.BulkWriteError):
        first: dict[str, Any] = next(iter(failure.details.get("writeErrors", ())), {})
        return first.get("code"), str(first.get("errmsg"))
    if isinstance(failure, errors.OperationFailure):
        return failure.code, str((failure.details or {}).get("errmsg"))
    return None, ""


async def make_indexes(collection: AsyncCollection[dict[str, Any]], indexes: Sequence[IndexModel]) -> int:
    """Create the indexes that the collection lacks; return how many. Raises StoreRefused when documents forbid one."""
    found = {_identity(each) async for each in await collection.list_indexes()}
    missing = {identity: index for index in indexes if (identity := _identity(index.document)) not in found}
    if not missing:
        return 0
    try:
        await collection.create_indexes(list(missing.values()))
    except errors.OperationFailure as failure:
        if failure.code in INDEX_LIMITS:
            raise StoreRefused(
                f"an index of {collection.name} cannot be created: {_write_error(failure)[1]}"
            ) from failure
        if failure.code != NOT_IMPLEMENTED:
            raise
        for index in missing.values():
            await _make_index_if_known(collection, index)
    return len(missing)


async def _make_index_if_known(collection: AsyncCollection[dict[str, Any]], index: IndexModel) -> None:
    """Create the index; skip it with a warning if the server does not implement it: it only affects speed."""
    try:
        await collection.create_indexes([index])
    except errors.OperationFailure as failure:
        if failure.code != NOT_IMPLEMENTED:
            raise
        log.warning("the store's server cannot create the index %s of %s", index.document["name"], collection.name)


def _identity(index: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """Return the name and keys of an index, which are the same in the driver's form and in the server's list."""
    return index["name"], tuple(index["key"].items())


def _options(uri: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(uri).query, keep_blank_values=True)
