"""Creates the store for a URL: `memory:`, `sqlite:///path`, `sqlite:path`, `mongodb://host/database`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tmf_sales.storage.protocol import Storage, StoreRefused
from tmf_sales.storage.records import Kind


def open_store(url: str, kinds: Sequence[Kind], statement_timeout: float = 2.0) -> Storage:
    """Return the store that `url` names, not yet opened; a query may take `statement_timeout` seconds.

    Raises ValueError, in one line without the URL's password.
    """
    scheme, colon, rest = url.partition(":")
    match scheme:
        case "memory" if colon and not rest:
            return _memory(kinds, statement_timeout)
        case "sqlite":
            return _sqlite(rest, kinds, statement_timeout)
        case "mongodb" | "mongodb+srv":
            return _mongodb(url, kinds, statement_timeout)
    raise ValueError(f"the store {scheme + ':'!r} is not known: use memory:, sqlite:///path or mongodb://host/database")


def _memory(kinds: Sequence[Kind], statement_timeout: float) -> Storage:
    """Import the store only here, as each of them: a process needs one."""
    from tmf_sales.storage.memory.store import MemoryStorage

    return MemoryStorage(kinds, statement_timeout=statement_timeout)


def _mongodb(url: str, kinds: Sequence[Kind], statement_timeout: float) -> Storage:
    """Import the driver only here: it is an optional extra of the package and would slow the start of other stores."""
    try:
        from tmf_sales.storage.mongo.store import MongoStorage
    except ModuleNotFoundError as error:
        raise ValueError(f"MongoDB needs the package {error.name}: pip install 'tmf-sales[mongodb]'") from None
    return MongoStorage(url, kinds, statement_timeout)


def _sqlite(rest: str, kinds: Sequence[Kind], statement_timeout: float) -> Storage:
    from tmf_sales.storage.sqlite.store import SqliteStorage

    return SqliteStorage(sqlite_path(f"sqlite:{rest}"), kinds, statement_timeout)


def reject_missing_file(url: str) -> None:
    """Raise StoreRefused when `url` names a SQLite file that does not exist; opening the store would create it."""
    if url.startswith("sqlite:") and not sqlite_path(url).exists():
        raise StoreRefused(f"there is no store {sqlite_path(url)}")


def sqlite_path(url: str) -> Path:
    """Return the file that a SQLite store's URL names; raises ValueError when it names none."""
    parts = urlsplit(url)
    path = url2pathname(parts.path)
    if parts.netloc or parts.query or parts.fragment or not path or path.endswith("/"):
        raise ValueError(f"the store {url!r} names no file: use sqlite:///absolute/path or sqlite:relative/path")
    return Path(path)
