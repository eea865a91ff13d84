"""Runs the checks against a server, one after the other, and gives each its result.

Promise: a check ends in a result whatever the server does; a server that is silent three times in a row is not waited
for any longer; what was created is removed at the end, after an interruption too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tmf_conformance.api import Api
from tmf_conformance.http.client import Client
from tmf_conformance.interaction import Exchange
from tmf_conformance.http.listener import Listener
from tmf_conformance.response_types import ReadingTypes
from tmf_conformance.check import Check, Ending, Kind, NoAnswer, Verdict
from tmf_conformance.session import SILENCES, Session

GIVEN_UP = f"the server gave no answer {SILENCES} times in a row"


class Unreachable(Exception):
    """Raised when there is nothing to check: no HTTP server answers at the URL, or it wants to know who asks."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a check ended. `reason` is empty when it passed; when it failed, it says what was expected."""

    check: Check
    verdict: Verdict
    reason: str = ""
    request: str = ""
    response: str = ""
    seconds: float = 0.0

    @property
    def breaks_conformance(self) -> bool:
        return self.verdict is Verdict.FAILED and self.check.kind is Kind.MANDATORY


@dataclass(slots=True)
class Report:
    """What a run found. `remaining`: what it created and could not remove."""

    api: Api
    url: str
    results: list[Result] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)
    interrupted: bool = False
    started: float = field(default_factory=time.time)
    seconds: float = 0.0

    @property
    def conforms(self) -> bool:
        return not any(result.breaks_conformance for result in self.results)

    def count(self, verdict: Verdict, kind: Kind | None = None) -> int:
        return sum(each.verdict is verdict and kind in (None, each.check.kind) for each in self.results)


@dataclass(frozen=True, slots=True)
class Target:
    """The server to be held against the specification, and how to speak to it."""

    api: Api
    url: str
    types: ReadingTypes
    headers: Mapping[str, str] = field(default_factory=dict)
    sample: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 10.0
    insecure: bool = False


def run(
    target: Target,
    checks: Iterable[Check],
    listener: Listener | None = None,
    tell: Callable[[Result], None] = lambda _: None,
) -> Report:
    """`tell` gets each result as it comes. Raises Unreachable before the first check."""
    with Client(target.url, target.headers, target.timeout, insecure=target.insecure) as client:
        report = Report(target.api, client.base)
        begin = time.monotonic()
        reach(client, target.api)
        session = Session(target.api, client, target.types, target.sample, listener)
        try:
            for check in checks:
                result = result_of(check, session)
                report.results.append(result)
                session.tidy()
                tell(result)
        except KeyboardInterrupt:
            report.interrupted = True
        finally:
            report.remaining = cleaned_up(session)
            report.seconds = time.monotonic() - begin
        return report


def reach(client: Client, api: Api) -> None:
    try:
        answer = client.send("GET", f"{api.path}?limit=1")
    except NoAnswer as silence:
        problem = silence.exchange.problem if silence.exchange else silence.reason
        raise Unreachable(f"{client.base} cannot be reached: {problem}") from None
    if answer.status in {401, 407}:
        raise Unreachable(f"{client.base} wants other credentials than it got ({answer.status}): --header gives them")


def cleaned_up(session: Session) -> list[str]:
    """An interruption while it cleans up ends that too, and says what is left."""
    try:
        return session.clean_up()
    except KeyboardInterrupt:
        return [f"{session.client.base}{url}" for url in session.left.urls]


def result_of(check: Check, session: Session) -> Result:
    if session.silences >= SILENCES:
        return Result(check, Verdict.NOT_RUN, GIVEN_UP)
    session.last = None
    begin = time.monotonic()
    try:
        check.run(session)
    except Ending as ending:
        exchange = ending.exchange or session.last
        return _ended(check, ending.verdict, ending.reason, exchange, time.monotonic() - begin)
    except Exception as error:  # noqa: BLE001 - an answer that no check thought of is the server's, and no crash
        reason = f"an answer that can be read; this one is not as expected at all ({type(error).__name__}: {error})"
        return _ended(check, Verdict.FAILED, reason[:500], session.last, time.monotonic() - begin)
    return Result(check, Verdict.PASSED, seconds=time.monotonic() - begin)


def _ended(check: Check, verdict: Verdict, reason: str, exchange: Exchange | None, seconds: float) -> Result:
    if exchange is None:
        return Result(check, verdict, reason, seconds=seconds)
    shown = exchange.secrets.hidden_in(reason)
    return Result(check, verdict, shown, exchange.shown_request(), exchange.shown_response(), seconds)
