"""The driver: how the client is set up, and what its errors mean to the service.

Every default can be overridden in the URI. No error text of the driver goes further than the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pymongo import AsyncMongoClient, IndexModel, errors
from pymongo.asynchronous.collection import AsyncCollection

from tmf_sales.storage.protocol import AlreadyExists, RecordTooLarge, StorageUnavailable, TookTooLong

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
    "heartbeatFrequencyMS": 2000,
}

NOT_IMPLEMENTED = 238

log = logging.getLogger(__name__)


def make_client(uri: str) -> AsyncMongoClient[dict[str, Any]]:
    """The client for this process, not yet connected; it belongs to the running event loop."""
    given = {name.lower() for name, _ in _options(uri)}
    return AsyncMongoClient(uri, **{name: value for name, value in DEFAULTS.items() if name.lower() not in given})


def database_name(uri: str) -> str:
    return urlsplit(uri).path.strip("/") or DEFAULT_DATABASE


def check_uri(uri: str) -> None:
    """Raise ValueError, without the password, when no client could be made from `uri` or it gives up safety."""
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
    except errors.ServerSelectionTimeoutError as failure:
        raise StorageUnavailable("no server of the store can be reached") from failure
    except errors.ExecutionTimeout as failure:
        raise TookTooLong("the store gave up; narrow the query") from failure
    except errors.PyMongoError as failure:
        log.warning("the store failed: %s: %s", type(failure).__name__, failure)
        raise StorageUnavailable("the store failed, or did not answer in time") from failure


async def make_indexes(collection: AsyncCollection[dict[str, Any]], indexes: Sequence[IndexModel]) -> None:
    """Make those that are missing. One that the server has no code for is left out with a warning: it is for speed."""
    for index in indexes:
        try:
            await collection.create_indexes([index])
        except errors.OperationFailure as failure:
            if failure.code != NOT_IMPLEMENTED:
                raise
            log.warning("the store's server cannot make the index %s of %s", index.document["name"], collection.name)


def _options(uri: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(uri).query, keep_blank_values=True)
