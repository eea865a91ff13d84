"""`tmf-sales conformance`: holds any TMF648 or TMF699 v4 server against its specification.

Promise: exit code 1 when a mandatory check failed, 2 when the server cannot be reached or an option is not valid, 130
after an interruption; and whatever a server says reaches the terminal without its control characters.
"""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from tmf_sales.cli.options import Refused
from tmf_sales.cli.progress import progress

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.http.listener import Listener

LONGEST_SAMPLE = 4 * 1024 * 1024


@click.command()
@click.option("--url", required=True, metavar="URL", help="Base path of the API, such as http://host/tmf-api/sales/v4.")
@click.option("--api", type=click.Choice(["tmf648", "tmf699"]), help="Which API it is; without it the URL tells.")
@click.option(
    "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent with every request; repeatable."
)
@click.option(
    "--sample",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="JSON object with members that a creation needs here.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write report.html, report.json and junit.xml there.",
)
@click.option(
    "--listen", metavar="HOST:PORT", help="Listen there for events; without it their delivery is not checked."
)
@click.option("--callback-url", metavar="URL", help="Where the server under test reaches the listener.")
@click.option(
    "--timeout", default=10.0, show_default=True, type=click.FloatRange(0.1, 600), help="Seconds for an answer."
)
@click.option(
    "--patience",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1, 600),
    help="Seconds for an event to arrive.",
)
@click.option("--only", multiple=True, metavar="CHECK", help="Run only the checks whose id starts so; repeatable.")
@click.option("--insecure", is_flag=True, help="Do not check the server's certificate.")
@click.option("--quiet", is_flag=True, help="Show only what did not pass.")
def conformance(
    url: str,
    api: str | None,
    headers: tuple[str, ...],
    sample: Path | None,
    report: Path | None,
    listen: str | None,
    callback_url: str | None,
    timeout: float,
    patience: float,
    only: tuple[str, ...],
    insecure: bool,
    quiet: bool,
) -> None:
    """Hold any TMF648 or TMF699 v4 server against its specification. What it creates there it removes again. The exit
    code is 1 when a mandatory check failed.
    """
    from tmf_conformance.registry import checks_of
    from tmf_conformance.response_types import ReadingTypes
    from tmf_conformance.reports.terminal import lines_of
    from tmf_conformance.reports.files import write_reports
    from tmf_conformance.run import Target, Unreachable, run
    from tmf_sales.contract.files import contracts_folder

    base = base_of(url)
    chosen = chosen_api(base, api)
    types = ReadingTypes(contracts_folder(), chosen.contract)
    base = base.removesuffix(chosen.path)
    target = Target(chosen, base, types, headers_of(headers), sample_of(sample), timeout, insecure)
    checks = [check for check in checks_of(chosen) if not only or check.id.startswith(only)]
    if not checks:
        raise Refused(f"no check of {chosen.name} has an id that starts with {' or '.join(only)}")
    if report is not None:
        make_folder(report)
    with ending_by_signal(), subscription_of(listen, callback_url, patience) as listener:
        try:
            with progress("Checking", len(checks), "checks") as step:
                found = run(target, checks, listener, lambda _: step(1))
        except Unreachable as error:
            raise Refused(str(error)) from None
    for line in lines_of(found, quiet=quiet):
        click.echo(line)
    if report is not None:
        for path in write_reports(found, report):
            click.echo(f"written: {path}")
    if found.interrupted:
        raise click.exceptions.Exit(130)
    raise click.exceptions.Exit(0 if found.conforms else 1)


def base_of(url: str) -> str:
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if (
            parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.port != 0
            and not parts.query + parts.fragment
        ):
            return url.rstrip("/")
    raise Refused("--url is no base path of an API; expected one such as http://host:8080/tmf-api/sales/v4")


def chosen_api(url: str, name: str | None) -> Api:
    from tmf_conformance.registry import APIS, api_of

    found = APIS[name] if name else api_of(urlsplit(url).path)
    if found is None:
        raise Refused("--url does not tell which API it is; say --api tmf648 (quotes) or --api tmf699 (sales leads)")
    return found


def headers_of(texts: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, colon, value = text.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not name or not text.isascii() or not text.isprintable() or " " in name:
            raise Refused("--header is not of the form 'Name: value' (it is not shown, as it may be a credential)")
        found[name] = value
    return found


def sample_of(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        value = json.loads(path.read_bytes()[:LONGEST_SAMPLE])
    except OSError as error:
        raise Refused(f"--sample cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused(f"--sample is no JSON object: {path}")
    items = value.get("quoteItem", [{}])
    if not isinstance(items, list) or not items or not all(isinstance(each, dict) for each in items):
        raise Refused(f"--sample has a quoteItem that is no array of items: {path}")
    return value


def make_folder(path: Path) -> None:
    """Before the run, which may take long."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"--report cannot be written: {error.strerror or error}: {path}") from None


@contextlib.contextmanager
def subscription_of(address: str | None, callback: str | None, patience: float) -> Iterator[Listener | None]:
    if address is None and callback is None:
        yield None
        return
    if address is None or callback is None or urlsplit(callback).scheme not in {"http", "https"}:
        raise Refused("--listen HOST:PORT and --callback-url URL belong together")
    from tmf_conformance.http.listener import Listener

    host, _, port = address.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise Refused("--listen is no address; expected HOST:PORT such as 0.0.0.0:9100")
    try:
        listener = Listener((host.strip("[]") or "0.0.0.0", int(port)), callback, patience)  # noqa: S104 - as was asked
    except OSError as error:
        raise Refused(f"cannot listen on {address}: {error.strerror or error}") from None
    with listener:
        yield listener


@contextlib.contextmanager
def ending_by_signal() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does, so that it cleans up."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
