"""What `serve` and `deliver` share as processes that run until they are stopped: ports, announcements and reloading."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Mapping
from functools import partial

import click

from tmf_sales.apis.registry import registered_rules, settings_of_rules
from tmf_sales.cli.options import Refused
from tmf_sales.configuration.loading import load_settings
from tmf_sales.configuration.reloading import Reloading
from tmf_sales.configuration.settings import Settings
from tmf_sales.server.ports import reserve
from tmf_sales.telemetry.log_format import configure_logs

BACKLOG = 2048


def listen(host: str, port: int, *, later: bool = False) -> socket.socket:
    """Open a socket on this port; with `later` it only reserves the port, and the workers will listen."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if later:
            return reserve(family, address[:2])
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise Refused(f"cannot listen on {host} port {port}: {reason_of(error)}") from None


def reason_of(error: Exception) -> str:
    """The system's message; a name that does not resolve has only the resolver's text."""
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno:
        return os.strerror(error.errno)
    return str(error.args[-1])


def announce_management(settings: Settings) -> None:
    url = dataclasses.replace(settings, port=settings.management_port or 0, tls_cert=None).listening_url
    click.echo(f"Management: {url} serves /live, /ready and /metrics", err=True)


def reloading_of(options: Mapping[str, object], started: Settings) -> Reloading:
    """What SIGHUP reloads in a process that was started with these options: the log now, other parts add themselves."""
    reloading = Reloading(lambda: load_settings(os.environ, options, settings_of_rules(registered_rules())), started)
    reloading.add(lambda settings: partial(configure_logs, settings.log_level, settings.log_format))
    return reloading
