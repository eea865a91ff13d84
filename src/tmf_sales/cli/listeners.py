"""`tmf-sales listeners`: who listens, how they fare, and what an operator does for one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tmf_sales.cli.context import Opened, on_one_line, read_moment, run, shown_moment
from tmf_sales.cli.options import Refused, setting_options
from tmf_sales.setting_types import read_duration

if TYPE_CHECKING:
    from tmf_sales.events.subscription import Listener
    from tmf_sales.storage.events import AttemptRecord


@click.group()
def listeners() -> None:
    """Show the registered listeners and look after them."""


@listeners.command("list")
@setting_options("store")
def list_listeners(**options: Any) -> None:
    """List listeners: id, API, state, resources with waiting events, callback, query."""

    async def work(found: Opened) -> tuple[list[Listener], Mapping[str, int]]:
        return await found.hub.listeners(), await found.events.waiting()

    registered, waiting = run(options, work)
    for listener in registered:
        told = [listener.id, listener.api, state(listener), f"{waiting.get(listener.id, 0)} waiting", listener.callback]
        click.echo("  ".join(map(on_one_line, [*told, listener.query])))


@listeners.command()
@setting_options("store")
@click.argument("listener")
@click.option("--since", default="P1D", show_default=True, metavar="TIME", help="A date-time or a duration.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="So many at most.")
def attempts(listener: str, since: str, limit: int, **options: Any) -> None:
    """Show what came of deliveries to a listener, the newest first."""
    start = read_moment(since, time.time())

    async def work(found: Opened) -> list[AttemptRecord]:
        return await found.events.attempts(listener=listener, since=start, limit=limit)

    for attempt in run(options, work):
        outcome = attempt.status if attempt.status is not None else attempt.error
        told = [shown_moment(attempt.at), attempt.event, outcome, f"{attempt.duration * 1000:.1f} ms", attempt.answer]
        click.echo("  ".join(map(on_one_line, told)).rstrip())


@listeners.command()
@setting_options("store")
@click.argument("listener")
def enable(listener: str, **options: Any) -> None:
    """Send events to a disabled listener again, from now on; `events replay` sends what it missed."""

    async def work(found: Opened) -> None:
        await refuse_unknown(found, listener)
        await found.hub.enable(listener)

    run(options, work)
    click.echo(f"listener {listener} is enabled")


@listeners.command("rotate-secret")
@setting_options("store")
@click.argument("listener")
@click.option("--overlap", default="P1D", show_default=True, metavar="TIME", help="How long the old one still signs.")
def rotate_secret(listener: str, overlap: str, **options: Any) -> None:
    """Give a listener a new secret of its own and print it; the old one still signs for a while."""
    try:
        seconds = read_duration(overlap).total_seconds()
    except ValueError:
        raise Refused(f"--overlap is {overlap!a}; expected a duration such as P1D") from None

    async def work(found: Opened) -> str:
        await refuse_unknown(found, listener)
        return await found.hub.rotate_secret(listener, time.time(), seconds)

    click.echo(run(options, work))


async def refuse_unknown(found: Opened, id: str) -> None:
    if id not in {listener.id for listener in await found.hub.listeners()}:
        raise Refused(f"there is no listener {id!a}; see tmf-sales listeners list")


def state(listener: Listener) -> str:
    if listener.disabled:
        return f"disabled: {listener.disabled}"
    return f"failing since {shown_moment(listener.failing_since)}" if listener.failing_since else "active"
