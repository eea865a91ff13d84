"""`tmf-sales events`: lists stored events, follows new ones, and delivers events to a subscription again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click

from tmf_sales.cli.context import on_one_line, read_moment, run, shown_moment
from tmf_sales.cli.options import NothingFound, store_options

if TYPE_CHECKING:
    from tmf_sales.app.context import Context
    from tmf_sales.storage.events import StoredEvent

PAGE = 200
LOOK_EVERY = 0.5

since_option = click.option("--since", metavar="TIME", help="Date-time, or a duration back from now, such as PT1H.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print complete events, one JSON object per line.")


@click.group()
def events() -> None:
    """List, follow and replay the events in the store."""


@events.command("list")
@store_options
@since_option
@json_option
def list_events(since: str | None, as_json: bool, **options: Any) -> None:
    """List stored events, oldest first."""
    start = read_moment(since, time.time()) if since else 0.0

    async def work(found: Context) -> int:
        count = 0
        async for event in stored_since(found, start):
            click.echo(shown(event, as_json))
            count += 1
        return count

    if not run(options, work):
        click.echo("no events", err=True)


@events.command()
@store_options
@since_option
@json_option
def tail(since: str | None, as_json: bool, **options: Any) -> None:
    """Print new events until Ctrl-C."""
    now = time.time()
    start = read_moment(since, now) if since else now

    async def work(found: Context) -> None:
        cursor: str | None = None
        while True:
            page, cursor = await found.events.log(cursor, start, PAGE)
            for event in page:
                click.echo(shown(event, as_json))
            if len(page) < PAGE:
                await asyncio.sleep(LOOK_EVERY)

    try:
        run(options, work)
    except KeyboardInterrupt:
        click.echo()


@events.command()
@store_options
@click.option("--listener", "subscription", required=True, metavar="ID", help="Id of the subscription.")
@click.option("--since", required=True, metavar="TIME", help="Date-time, or a duration back from now, such as PT1H.")
def replay(subscription: str, since: str, **options: Any) -> None:
    """Deliver events to a subscription again, with the same eventId."""
    start = read_moment(since, time.time())

    async def work(found: Context) -> int:
        listeners = await found.hub.active()
        if subscription not in listeners:
            raise NothingFound(f"no enabled subscription has the id {subscription!a}; see tmf-sales listeners list")
        count, batch = 0, []
        async for event in stored_since(found, start):
            if listeners.wants(subscription, event.kind, event.document):
                batch.append(event)
            if len(batch) == PAGE:
                count += await rewound(found, subscription, batch)
                batch = []
        return count + await rewound(found, subscription, batch)

    click.echo(f"{run(options, work)} events will be delivered again")


async def rewound(found: Context, subscription: str, batch: list[StoredEvent]) -> int:
    await found.events.rewind(subscription, batch, time.time())
    return len(batch)


async def stored_since(found: Context, start: float) -> AsyncIterator[StoredEvent]:
    cursor: str | None = None
    while True:
        page, cursor = await found.events.log(cursor, start, PAGE)
        for event in page:
            yield event
        if len(page) < PAGE:
            return


def shown(event: StoredEvent, as_json: bool) -> str:
    if as_json:
        return event.text.decode()
    document = event.document
    cells = (document.get("eventType"), event.kind, event.resource, f"revision {event.revision}", event.id)
    return "  ".join([shown_moment(event.stored), *map(on_one_line, cells)])
