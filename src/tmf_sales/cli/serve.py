"""`tmf-sales serve`: runs one worker with uvicorn in this process, or several with gunicorn.

Guarantee: once the service accepts requests, it prints its actual address in one line on standard output. SIGTERM lets
running requests finish and ends the process with exit code 0.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

import click

import tmf_sales
from tmf_sales.apis.registry import registered_rules, settings_of_rules
from tmf_sales.cli.options import Refused, rule_setting_options, setting_options, settings_from
from tmf_sales.errors import CannotStart
from tmf_sales.server.deferred_imports import defer_imports
from tmf_sales.server.startup import report_startup_errors
from tmf_sales.settings import Settings, is_loopback, load_settings
from tmf_sales.telemetry.log_format import configure_logs

BACKLOG = 2048
Reload = Callable[[], None]

log = logging.getLogger("tmf_sales")


@click.command()
@setting_options(
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
    run = run_several if settings.workers > 1 else run_one
    with contextlib.ExitStack() as opened:
        listeners = [opened.enter_context(listen(settings.host, port)) for port in ports_of(settings)]
        ports = [each.getsockname()[1] for each in listeners]
        settings = dataclasses.replace(settings, port=ports[0], management_port=(*ports, None)[1])
        if not settings.authentication and not is_loopback(settings.host):
            click.echo("Warning: authentication is off; every caller is an administrator", err=True)
        try:
            run(application_of(settings), settings, listeners, lambda: reload(options))
        except CannotStart as error:
            raise Refused(str(error)) from None


def application_of(settings: Settings) -> Callable[[], Any]:
    """Return a function that creates the ASGI application in the process that serves it."""

    def make() -> Any:
        gc.disable()  # objects made at start stay; lifespan.py freezes them and enables the collector again
        with defer_imports():
            from tmf_sales import app

        try:
            return report_startup_errors(app.create_app(settings))
        except ValueError as error:  # raised by a store for an invalid URL
            raise CannotStart(str(error)) from error

    return make


def ports_of(settings: Settings) -> list[int]:
    """The service's port, then the management port if there is one."""
    return [settings.port, *([] if settings.management_port is None else [settings.management_port])]


def listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise Refused(f"cannot listen on {host} port {port}: {reason_of(error)}") from None


def reason_of(error: Exception) -> str:
    """The system's message; a name that does not resolve has only the resolver's text."""
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno:
        return os.strerror(error.errno)
    return str(error.args[-1])


def announcement(settings: Settings) -> str:
    url = dataclasses.replace(settings, public_url=None).public_base
    return f"tmf-sales {tmf_sales.__version__} serves {url} (store {settings.shown_store}, {settings.mode} mode)"


def announce_management(settings: Settings) -> None:
    url = dataclasses.replace(settings, public_url=None, port=settings.management_port or 0).public_base
    click.echo(f"Management: {url} serves /live, /ready and /metrics", err=True)


def announce(settings: Settings) -> None:
    if settings.management_port is not None:
        announce_management(settings)
    click.echo(announcement(settings))
    if settings.only_this_machine_calls:
        click.echo("Webhooks to 127.0.0.1 are allowed because the service is only reachable locally", err=True)


def run_one(
    make_app: Callable[[], Any], settings: Settings, listeners: Sequence[socket.socket], reload: Reload
) -> None:
    with defer_imports():
        from tmf_sales.server import one_worker

    one_worker.run(make_app, settings, listeners, lambda: announce(settings), reload)


def run_several(
    make_app: Callable[[], Any], settings: Settings, listeners: Sequence[socket.socket], reload: Reload
) -> None:
    with defer_imports():
        from tmf_sales.server import several_workers

    several_workers.run(make_app, settings, listeners, lambda: announce(settings), reload)


def reload(options: Mapping[str, object]) -> None:
    """Read the settings again on SIGHUP, and apply those that can change at run time: level and form of the log.

    Invalid settings are logged, and the old ones remain in effect.
    """
    try:
        settings = load_settings(os.environ, options, settings_of_rules(registered_rules()))
    except CannotStart as error:
        log.error("the settings are not reloaded: %s", error)  # noqa: TRY400 - the message is complete
        return
    configure_logs(settings.log_level, settings.log_format)
    log.info("the settings are reloaded")


def end_well(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
