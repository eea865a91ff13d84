"""`tmf-sales listeners`: lists subscriptions and their deliveries, enables them and rotates their secrets."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tmf_sales.cli.context import on_one_line, read_moment, run, shown_moment
from tmf_sales.cli.options import NothingFound, Refused, store_options
from tmf_sales.configuration.setting_types import read_duration

if TYPE_CHECKING:
    from tmf_sales.app.context import Context
    from tmf_sales.events.subscription import Subscription
    from tmf_sales.storage.events import AttemptRecord


@click.group()
def listeners() -> None:
    """List the subscriptions and manage their deliveries."""


@listeners.command("list")
@store_options
def list_listeners(**options: Any) -> None:
    """List subscriptions: id, API, state, resources with waiting events, callback, query."""

    async def work(found: Context) -> tuple[list[Subscription], Mapping[str, int]]:
        return await found.hub.subscriptions(), await found.events.waiting()

    registered, waiting = run(options, work)
    for subscription in registered:
        cells = [
            subscription.id,
            subscription.api,
            state(subscription),
            f"{waiting.get(subscription.id, 0)} waiting",
            subscription.callback,
        ]
        click.echo("  ".join(map(on_one_line, [*cells, subscription.query])))
    if not registered:
        click.echo("no subscriptions", err=True)


@listeners.command()
@store_options
@click.argument("subscription", metavar="ID")
@click.option(
    "--since", default="P1D", show_default=True, metavar="TIME", help="Date-time, or a duration back from now."
)
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Show at most this many attempts."
)
def attempts(subscription: str, since: str, limit: int, **options: Any) -> None:
    """List the delivery attempts of a subscription, newest first."""
    start = read_moment(since, time.time())

    async def work(found: Context) -> list[AttemptRecord]:
        made = await found.events.attempts(subscription=subscription, since=start, limit=limit)
        if not made:
            await reject_unknown(found, subscription)
        return made

    made = run(options, work)
    if not made:
        click.echo(f"no deliveries to {subscription} since {shown_moment(start)}", err=True)
    for attempt in made:
        outcome = attempt.status if attempt.status is not None else attempt.error
        cells = [
            shown_moment(attempt.at),
            attempt.event,
            outcome,
            f"{attempt.duration * 1000:.1f} ms",
            attempt.answer,
        ]
        click.echo("  ".join(map(on_one_line, cells)).rstrip())


@listeners.command()
@store_options
@click.argument("subscription", metavar="ID")
def enable(subscription: str, **options: Any) -> None:
    """Enable a disabled subscription from now on; `events replay` sends what it missed."""

    async def work(found: Context) -> None:
        await reject_unknown(found, subscription)
        await found.hub.enable(subscription)

    run(options, work)
    click.echo(f"listener {subscription} is enabled")


@listeners.command("rotate-secret")
@store_options
@click.argument("subscription", metavar="ID")
@click.option(
    "--overlap", default="P1D", show_default=True, metavar="TIME", help="Time for which the old secret still signs."
)
def rotate_secret(subscription: str, overlap: str, **options: Any) -> None:
    """Give a subscription a new signing secret and print it; the old one still signs during the overlap."""
    try:
        seconds = read_duration(overlap).total_seconds()
    except ValueError:
        raise Refused(f"--overlap is {overlap!a}; expected a duration such as P1D") from None

    async def work(found: Context) -> str:
        await reject_unknown(found, subscription)
        return await found.hub.rotate_secret(subscription, time.time(), seconds)

    click.echo(run(options, work))


async def reject_unknown(found: Context, id: str) -> None:
    if id not in {subscription.id for subscription in await found.hub.subscriptions()}:
        raise NothingFound(f"no subscription has the id {id!a}; see tmf-sales listeners list")


def state(subscription: Subscription) -> str:
    if subscription.disabled:
        return f"disabled: {subscription.disabled}"
    return f"failing since {shown_moment(subscription.failing_since)}" if subscription.failing_since else "active"
