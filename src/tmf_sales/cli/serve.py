"""`tmf-sales serve`: runs one worker with uvicorn in this process, or several with gunicorn.

Guarantee: once the service accepts requests, it prints its actual address in one line on standard output. SIGTERM lets
running requests finish and ends the process with exit code 0.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import click

import tmf_sales
from tmf_sales.cli.long_running import announce_management, listen, reloading_of
from tmf_sales.cli.options import Refused, rule_setting_options, setting_options, settings_from
from tmf_sales.configuration.reloading import Reloading
from tmf_sales.configuration.settings import Settings, is_loopback
from tmf_sales.errors import CannotStart
from tmf_sales.server.deferred_imports import defer_imports
from tmf_sales.server.startup import report_startup_errors
from tmf_sales.server.tls import Tls, create_tls
from tmf_sales.telemetry.log_format import configure_logs


@click.command()
@setting_options(
    "config",
    "host",
    "port",
    "management_port",
    "store",
    "contracts",
    "apis",
    "workers",
    "mode",
    "strict",
    "seed",
    "public_url",
    "tls_cert",
    "tls_key",
    "tls_client_ca",
    "allow_anonymous",
    "no_delivery",
)
@rule_setting_options
def serve(**options: object) -> None:
    """Serve the APIs until SIGTERM or Ctrl-C."""
    # uvicorn raises the signal again after its shutdown, and these handlers then end the process.
    signal.signal(signal.SIGTERM, end_well)
    signal.signal(signal.SIGINT, end_well)
    settings = settings_from(options)
    configure_logs(settings.log_level, settings.log_format)
    several = settings.workers > 1
    run = run_several if several else run_one
    with contextlib.ExitStack() as opened:
        listeners = [opened.enter_context(listen(settings.host, port, later=several)) for port in ports_of(settings)]
        ports = [each.getsockname()[1] for each in listeners]
        started = settings
        settings = dataclasses.replace(settings, port=ports[0], management_port=(*ports, None)[1])
        if not settings.authentication and not is_loopback(settings.host):
            click.echo("Warning: authentication is off; every caller is an administrator", err=True)
        try:
            reloading = reloading_of(options, started)
            tls = create_tls(settings)
            if tls is not None:
                reloading.add(tls.prepare)
            gc.disable()  # imports and the start make what stays; app/lifespan.py freezes it and enables the collector
            run(application_of(settings, reloading), settings, listeners, reloading, tls)
        except CannotStart as error:
            raise Refused(str(error)) from None


def application_of(settings: Settings, reloading: Reloading) -> Callable[[], Any]:
    """Return a function that creates the ASGI application in the process that serves it."""

    def make() -> Any:
        with defer_imports():
            from tmf_sales.app import asgi

        try:
            return report_startup_errors(asgi.create_app(settings, reloading=reloading))
        except ValueError as error:  # raised by a store for an invalid URL
            raise CannotStart(str(error)) from error

    return make


def ports_of(settings: Settings) -> list[int]:
    """The service's port, then the management port if there is one."""
    return [settings.port, *([] if settings.management_port is None else [settings.management_port])]


def announcement(settings: Settings) -> str:
    serves = f"tmf-sales {tmf_sales.__version__} serves {settings.listening_url}"
    return f"{serves} (store {settings.shown_store}, {settings.mode} mode)"


def announce(settings: Settings) -> None:
    if settings.management_port is not None:
        announce_management(settings)
    click.echo(announcement(settings))
    if settings.only_this_machine_calls:
        click.echo("Webhooks to 127.0.0.1 are allowed because the service is only reachable locally", err=True)


def run_one(
    make_app: Callable[[], Any],
    settings: Settings,
    listeners: Sequence[socket.socket],
    reloading: Reloading,
    tls: Tls | None,
) -> None:
    with defer_imports():
        from tmf_sales.server import one_worker

    one_worker.run(make_app, settings, listeners, lambda: announce(settings), reloading, tls)


def run_several(
    make_app: Callable[[], Any],
    settings: Settings,
    listeners: Sequence[socket.socket],
    reloading: Reloading,
    tls: Tls | None,
) -> None:
    with defer_imports():
        from tmf_sales.server import several_workers

    several_workers.run(make_app, settings, listeners, lambda: announce(settings), reloading, tls)


def end_well(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
