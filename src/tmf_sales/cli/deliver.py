"""`tmf-sales deliver`: runs a delivery worker in its own process, beside `tmf-sales serve --no-delivery`."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from tmf_sales.cli.context import run
from tmf_sales.cli.options import Refused, setting_options, store_options
from tmf_sales.configuration.setting_types import MEMORY

if TYPE_CHECKING:
    from tmf_sales.app.context import Context
    from tmf_sales.telemetry.setup import Telemetry

LOOK_EVERY = 0.1


@click.command()
@store_options
@setting_options("management_port")
def deliver(**options: Any) -> None:
    """Deliver the events in the store to their subscriptions until SIGTERM or Ctrl-C.

    Any number of processes may do so.
    """
    run(options, partial(work, options), loop_factory=new_event_loop)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The loop that `serve` has, too: uvloop's where it is installed; it has no wheel for Windows."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def work(options: Mapping[str, object], found: Context) -> None:
    from tmf_sales.app.delivery_setup import create_delivery, delivery_settings
    from tmf_sales.app.lifespan import log_unknown_kinds
    from tmf_sales.cli.long_running import reloading_of
    from tmf_sales.telemetry.log_format import configure_logs
    from tmf_sales.telemetry.setup import create_telemetry

    if found.settings.store == MEMORY:
        raise Refused("store memory: belongs to one process; expected a store that processes can share")
    configure_logs(found.settings.log_level, found.settings.log_format)
    chosen = delivery_settings(found.settings, poll=LOOK_EVERY)
    telemetry = create_telemetry(found.apis, found.store, found.hub)
    worker = create_delivery(found, chosen, telemetry)
    await log_unknown_kinds(found.store)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    reloading = reloading_of(options, found.settings)
    reloading.add(found.policy.prepare)
    if hasattr(signal, "SIGHUP"):  # Windows has none
        loop.add_signal_handler(signal.SIGHUP, reloading.begin)
    async with telemetry.running(), management_pages(found, telemetry):
        click.echo(f"tmf-sales delivers events of {found.settings.shown_store}")
        await worker.run()


@contextlib.asynccontextmanager
async def management_pages(found: Context, telemetry: Telemetry) -> AsyncIterator[None]:
    """Serve /live, /ready and /metrics on the management port, if there is one."""
    if found.settings.management_port is None:
        yield
        return
    from tmf_sales.cli.long_running import announce_management, listen
    from tmf_sales.http.hosts import served_hosts
    from tmf_sales.server.management import serving
    from tmf_sales.telemetry.endpoint import management_app

    pages = {**telemetry.probes(), **telemetry.metrics_page()}
    with listen(found.settings.host, found.settings.management_port) as listener:
        async with serving(management_app(pages, served_hosts(found.settings)), listener):
            announce_management(dataclasses.replace(found.settings, management_port=listener.getsockname()[1]))
            yield
