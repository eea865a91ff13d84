"""`tmf-sales deliver`: runs a delivery worker in its own process, beside `tmf-sales serve --no-delivery`."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import click

from tmf_sales.cli.context import run
from tmf_sales.cli.options import Refused, store_options
from tmf_sales.setting_types import MEMORY

if TYPE_CHECKING:
    from tmf_sales.context import Context

LOOK_EVERY = 0.1


@click.command()
@store_options
def deliver(**options: Any) -> None:
    """Deliver the events in the store to their listeners until SIGTERM or Ctrl-C; any number of processes may do so."""
    run(options, work)


async def work(found: Context) -> None:
    from tmf_sales.app import create_delivery, delivery_settings
    from tmf_sales.lifespan import log_unknown_kinds

    if found.settings.store == MEMORY:
        raise Refused("store memory: belongs to one process; expected a store that processes can share")
    chosen = delivery_settings(found.settings, poll=LOOK_EVERY)
    worker = create_delivery(found, chosen)
    await log_unknown_kinds(found.store)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    click.echo(f"tmf-sales delivers events of {found.settings.shown_store}")
    await worker.run()
