"""The command `tmf-conformance`, also `tmf-sales conformance`: checks a server against its specification.

The exit code is 1 when a mandatory check failed, 2 when the server cannot be reached or an option is invalid, and 130
after an interruption. Control characters in responses never reach the terminal.
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

from tmf_conformance import __version__

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.check import Check
    from tmf_conformance.http.listener import Listener
    from tmf_conformance.profile import Profile
    from tmf_conformance.run import Report
    from tmf_conformance.suite import Suite

LONGEST_SAMPLE = 4 * 1024 * 1024
SECONDS = click.FloatRange(0.1, 600)


class Rejected(click.ClickException):
    """Raised when the run cannot start; the message is all that the user sees."""

    exit_code = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tmf-conformance")
@click.option("--url", required=True, metavar="URL", help="Base path of the API, such as http://host/tmf-api/sales/v4.")
@click.option("--api", metavar="NAME", help="API to check, such as tmf648 or tmf699. [default: from the URL]")
@click.option(
    "--profile",
    metavar="NAME",
    default="specification",
    show_default=True,
    help="Profile that says what is optional: specification, or tmf648b for quotes.",
)
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Request header; repeatable.")
@click.option(
    "--sample",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="JSON object with members that the server needs or accepts at creation.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write report.html, report.json and junit.xml to this folder.",
)
@click.option("--listen", metavar="HOST:PORT", help="Listen for events here; without it, delivery is not checked.")
@click.option("--callback-url", metavar="URL", help="URL at which the server reaches the listener.")
@click.option("--timeout", default=10.0, show_default=True, type=SECONDS, help="Seconds to wait for a response.")
@click.option("--patience", default=10.0, show_default=True, type=SECONDS, help="Seconds to wait for an event.")
@click.option("--only", multiple=True, metavar="CHECK", help="Run only checks whose id starts with this; repeatable.")
@click.option("--insecure", is_flag=True, help="Accept any server certificate.")
@click.option("--quiet", is_flag=True, help="Show only checks that did not pass.")
def conformance(
    url: str,
    api: str | None,
    profile: str,
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
    """Check any TMF648 or TMF699 v4 server against its specification. The run removes what it creates. The exit code is
    1 when a mandatory check failed.
    """
    from tmf_conformance.response_types import ResponseTypes
    from tmf_conformance.run import Target

    base = base_path(url)
    suite = choose_suite(base, api)
    target = Target(
        suite.api,
        base.removesuffix(suite.api.path),
        ResponseTypes(suite.api.contract),
        parse_headers(headers),
        read_sample(sample),
        timeout,
        insecure,
        choose_profile(suite.api, profile),
    )
    checks = choose_checks(suite, only)
    if report is not None:
        make_folder(report)
    with interrupted_by_sigterm(), events_listener(listen, callback_url, patience) as listener:
        found = run_with_progress(target, checks, listener)
    show(found, report, quiet=quiet)
    raise click.exceptions.Exit(130 if found.interrupted else int(not found.conforms))


def choose_checks(suite: Suite, only: tuple[str, ...]) -> list[Check]:
    """The checks of a suite whose ids start with one of these texts; all without any."""
    checks = [check for check in suite.checks() if not only or check.id.startswith(only)]
    if not checks:
        raise Rejected(f"no check of {suite.api.name} has an id that starts with {' or '.join(only)}")
    return checks


def run_with_progress(target: Any, checks: list[Check], listener: Listener | None) -> Report:
    from tmf_conformance.progress import progress
    from tmf_conformance.run import Unreachable, run

    try:
        with progress("Checking", len(checks), "checks") as advance:
            return run(target, checks, listener, lambda _: advance())
    except Unreachable as error:
        raise Rejected(str(error)) from None


def show(report: Report, folder: Path | None, *, quiet: bool) -> None:
    from tmf_conformance.reports.files import write_reports
    from tmf_conformance.reports.terminal import report_lines

    for line in report_lines(report, quiet=quiet):
        click.echo(line)
    if folder is not None:
        for path in write_reports(report, folder):
            click.echo(f"written: {path}")


def base_path(url: str) -> str:
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        is_http = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        if is_http and not parts.query + parts.fragment:
            return url.rstrip("/")
    raise Rejected("--url is not the base path of an API; expected one such as http://host:8080/tmf-api/sales/v4")


def choose_suite(base: str, name: str | None) -> Suite:
    from tmf_conformance.registry import InvalidSuite, suite_of, suites

    try:
        found = suites().get(name) if name else suite_of(urlsplit(base).path)
        known = " or ".join(f"--api {each.api.name} ({each.api.title})" for each in suites().values())
    except InvalidSuite as error:
        raise Rejected(str(error)) from None
    if found is None and name:
        raise Rejected(f"--api {name} is not registered; expected {known}")
    if found is None:
        raise Rejected(f"--url does not say which API it is; expected {known}")
    return found


def choose_profile(api: Api, name: str) -> Profile:
    for profile in api.profiles:
        if profile.name == name:
            return profile
    known = " or ".join(profile.name for profile in api.profiles)
    raise Rejected(f"--profile {name} is not a profile of {api.name}; expected {known}")


def parse_headers(texts: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, colon, value = text.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not name or not text.isascii() or not text.isprintable() or " " in name:
            raise Rejected("--header is not of the form 'Name: value' (not shown, as it may be a credential)")
        found[name] = value
    return found


def read_sample(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        value = json.loads(path.read_bytes()[:LONGEST_SAMPLE])
    except OSError as error:
        raise Rejected(f"--sample cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Rejected(f"--sample is not a JSON object: {path}")
    items = value.get("quoteItem", [{}])
    if not isinstance(items, list) or not items or not all(isinstance(each, dict) for each in items):
        raise Rejected(f"--sample has a quoteItem that is not an array of items: {path}")
    return value


def make_folder(path: Path) -> None:
    """Create the folder before the run, which may take long, so that an error appears at once."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Rejected(f"--report cannot be written: {error.strerror or error}: {path}") from None


@contextlib.contextmanager
def events_listener(address: str | None, callback: str | None, patience: float) -> Iterator[Listener | None]:
    if address is None and callback is None:
        yield None
        return
    if address is None or callback is None or urlsplit(callback).scheme not in {"http", "https"}:
        raise Rejected("--listen HOST:PORT and --callback-url URL belong together")
    from tmf_conformance.http.listener import Listener

    host, _, port = address.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise Rejected("--listen is not an address; expected HOST:PORT such as 0.0.0.0:9100")
    try:
        listener = Listener((host.strip("[]") or "0.0.0.0", int(port)), callback, patience)  # noqa: S104 - as asked
    except OSError as error:
        raise Rejected(f"cannot listen on {address}: {error.strerror or error}") from None
    with listener:
        yield listener


@contextlib.contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM interrupts a run as Ctrl-C does, so that it cleans up."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
