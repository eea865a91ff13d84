"""Runs a command on an open store, and parses and prints times.

Guarantee: the store is always closed again. A store that does not respond gives one line on standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tmf_sales.cli.options import Refused, settings_from
from tmf_sales.configuration.setting_types import read_duration
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import CannotStart, TmfError

if TYPE_CHECKING:
    from tmf_sales.app.context import Context

T = TypeVar("T")


def run(
    options: dict[str, Any],
    work: Callable[[Context], Awaitable[T]],
    *,
    may_create: bool = False,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """Run `work` on the store that the options name; raise Refused when that fails, for example without a store.

    `loop_factory` makes the event loop; asyncio's own by default.
    """
    settings = settings_from(options)
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(_run(settings, work, may_create))
    except TmfError as error:
        raise Refused(f"{error.reason}: {error.message}") from None
    except (CannotStart, ValueError) as error:
        raise Refused("\n".join(" ".join(line.split()) for line in str(error).splitlines())) from None


async def _run(settings: Settings, work: Callable[[Context], Awaitable[T]], may_create: bool) -> T:
    async with opened(settings, may_create=may_create) as found:
        return await work(found)


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, may_create: bool = False) -> AsyncIterator[Context]:
    """Open the store of the context; raise StoreRefused when it does not exist and must not be created."""
    from tmf_sales.app.context import create_context
    from tmf_sales.storage.factory import reject_missing_file

    if not may_create:
        reject_missing_file(settings.store)
    context = create_context(settings)
    await context.store.open()
    try:
        yield context
    finally:
        await context.store.close()


def read_moment(text: str, now: float) -> float:
    """Parse a date-time (RFC 3339), or a duration before now (ISO 8601), to seconds since 1970."""
    from tmf_sales.values.datetimes import InvalidDateTime, canonical

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
    """Escape unprintable characters, so that untrusted text is safe to show in a terminal."""
    text = "-" if value is None else str(value)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
