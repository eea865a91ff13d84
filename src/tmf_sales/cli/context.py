"""What the commands that look after events work on: the store, opened, and the hub; and how they read and show times.

Promise: the store is closed again, and a store that does not answer is one line on standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tmf_sales.cli.options import Refused, settings_from
from tmf_sales.errors import CannotStart, TmfError
from tmf_sales.setting_types import read_duration
from tmf_sales.settings import Settings

if TYPE_CHECKING:
    from tmf_sales.contract.loader import Contract
    from tmf_sales.events.subscriptions import Hub
    from tmf_sales.storage.events import EventStore
    from tmf_sales.storage.protocol import Storage

T = TypeVar("T")


class Context(NamedTuple):
    """What a command works on."""

    settings: Settings
    apis: tuple[Contract, ...]
    store: Storage
    events: EventStore
    hub: Hub


def run(options: dict[str, Any], work: Callable[[Context], Awaitable[T]], *, may_create: bool = False) -> T:
    """Do the work on the store that the options name; raises Refused when it cannot be done, as when there is none."""
    settings = settings_from(options)
    try:
        return asyncio.run(_run(settings, work, may_create))
    except TmfError as error:
        raise Refused(f"{error.reason}: {error.message}") from None
    except (CannotStart, ValueError) as error:
        raise Refused(" ".join(str(error).split())) from None


async def _run(settings: Settings, work: Callable[[Context], Awaitable[T]], may_create: bool) -> T:
    async with opened(settings, may_create=may_create) as found:
        return await work(found)


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, may_create: bool = False) -> AsyncIterator[Context]:
    """Raises StoreRefused when there is no such store; one that is looked at is not made."""
    from tmf_sales.app import contracts_folder, create_hub, stored_kinds
    from tmf_sales.contract.loader import load_contracts
    from tmf_sales.storage.factory import open_store, reject_missing_file

    if not may_create:
        reject_missing_file(settings.store)
    apis = load_contracts(contracts_folder())
    store = open_store(settings.store, stored_kinds(apis), statement_timeout=settings.statement_timeout)
    await store.open()
    try:
        yield Context(settings, apis, store, store.events, create_hub(apis, store, settings))
    finally:
        await store.close()


def read_moment(text: str, now: float) -> float:
    """A date-time (RFC 3339), or a duration (ISO 8601) for so long ago, in seconds since 1970."""
    from tmf_sales.datetimes import InvalidDateTime, canonical

    with contextlib.suppress(InvalidDateTime):
        return datetime.fromisoformat(canonical(text)).timestamp()
    try:
        return now - read_duration(text).total_seconds()
    except ValueError:
        raise Refused(
            f"--since is {text!a}; expected a date-time such as 2026-01-02T03:04:05Z or a duration such as PT1H"
        ) from None


def shown_moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def on_one_line(value: object) -> str:
    """Text from outside as a terminal may show it: what is not printable is escaped."""
    text = "-" if value is None else str(value)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
