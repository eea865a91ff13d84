"""Databases for tests: on the server that TEST_MONGODB names, or on one that is started once for each test process."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pymongo import MongoClient
from tests.mongodb.mongod import STAND_IN
from tests.mongodb.server import MongoServer, used


class Databases:
    """Hands out databases of one server. `folder` says where a server that must be started keeps its data."""

    def __init__(self, folder: Callable[[], Path], ends: ExitStack) -> None:
        self._folder = folder
        self._ends = ends
        self._uri = named_server()
        self._numbers = itertools.count()

    @property
    def uri(self) -> str:
        """Of the server; it is started when it is first asked for."""
        if self._uri is None:
            self._uri = self._ends.enter_context(MongoServer(self._folder())).uri
        elif named_server():
            used.add("the server that TEST_MONGODB names")
        return self._uri

    def new(self) -> str:
        """The URL of a database that nobody has used. It is dropped when the test process ends."""
        url = database_url(self.uri, f"tmf_test_{os.getpid()}_{next(self._numbers)}")
        if named_server():
            self._ends.callback(drop, url)
        return url


def named_server() -> str | None:
    named = os.environ.get("TEST_MONGODB")
    return None if named in (None, "", STAND_IN) else named


def database_url(uri: str, name: str) -> str:
    """The connection string with this database; options and credentials stay as they are.

    Without authSource, the driver looks for the user in the database that the string names: that must not change.
    """
    parts = urlsplit(uri)
    options = parse_qsl(parts.query, keep_blank_values=True)
    if "@" in parts.netloc and "authsource" not in {option.lower() for option, _ in options}:
        options.append(("authSource", parts.path.strip("/") or "admin"))
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", urlencode(options), ""))


def drop(url: str) -> None:
    with MongoClient[dict[str, Any]](url) as client:
        client.drop_database(urlsplit(url).path.strip("/"))
