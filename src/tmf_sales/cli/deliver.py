"""`tmf-sales deliver`: a delivery worker in a process of its own, beside `tmf-sales serve --no-delivery`."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import click

from tmf_sales.cli.context import Context, run
from tmf_sales.cli.options import Refused, setting_options
from tmf_sales.setting_types import MEMORY

LOOK_EVERY = 0.1


@click.command()
@setting_options("store")
def deliver(**options: Any) -> None:
    """Bring the events in the store to their listeners until SIGTERM or Ctrl-C; any number may do so at once."""
    run(options, work, may_create=True)


async def work(found: Context) -> None:
    from tmf_sales.app import create_delivery, delivery_settings

    if found.settings.store == MEMORY:
        raise Refused("store memory: belongs to one process; expected a store that processes can share")
    chosen = delivery_settings(found.settings, poll=LOOK_EVERY)
    worker = create_delivery(found.store, found.hub, found.settings, chosen)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    click.echo(f"tmf-sales delivers events of {found.settings.shown_store}")
    await worker.run()
