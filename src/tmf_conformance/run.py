"""Runs the checks against a server, one after the other, and reports the result of each.

Guarantee: every check has a result, whatever the server does. After three requests in a row without a response, the run
stops waiting. It removes the resources that it created at the end, also after an interruption.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tmf_conformance.api import Api
from tmf_conformance.check import Check
from tmf_conformance.features import Features
from tmf_conformance.http.client import Client
from tmf_conformance.http.listener import Listener
from tmf_conformance.interaction import Interaction
from tmf_conformance.outcome import NoResponse, Outcome, Verdict
from tmf_conformance.profile import SPECIFICATION, Profile
from tmf_conformance.response_types import ResponseTypes
from tmf_conformance.session import MOST_UNANSWERED, Session
from tmf_conformance.source import Kind

GIVEN_UP = f"the server gave no response {MOST_UNANSWERED} times in a row"


class Unreachable(Exception):
    """Raised when nothing can be checked: no HTTP server responds at the URL, or it rejects the credentials."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a check ended. `reason` is empty when it passed; when it failed, it says what was expected."""

    check: Check
    kind: Kind
    verdict: Verdict
    reason: str = ""
    request: str = ""
    response: str = ""
    seconds: float = 0.0

    @property
    def breaks_conformance(self) -> bool:
        return self.verdict is Verdict.FAILED and self.kind is Kind.MANDATORY


@dataclass(slots=True)
class Report:
    """The results of a run. `remaining`: resources that could not be removed; `hints`: advice for the user."""

    api: Api
    url: str
    profile: Profile = SPECIFICATION
    results: list[Result] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    interrupted: bool = False
    started: float = field(default_factory=time.time)
    seconds: float = 0.0

    @property
    def conforms(self) -> bool:
        return not any(result.breaks_conformance for result in self.results)

    def count(self, verdict: Verdict, kind: Kind | None = None) -> int:
        return sum(each.verdict is verdict and kind in (None, each.kind) for each in self.results)


@dataclass(frozen=True, slots=True)
class Target:
    """The server to check, and the options for requests to it."""

    api: Api
    url: str
    types: ResponseTypes
    headers: Mapping[str, str] = field(default_factory=dict)
    sample: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 10.0
    insecure: bool = False
    profile: Profile = SPECIFICATION


def run(
    target: Target,
    checks: Iterable[Check],
    listener: Listener | None = None,
    report_result: Callable[[Result], None] = lambda _: None,
) -> Report:
    """Run the checks; `report_result` gets each result at once. Raises Unreachable before the first check."""
    with Client(target.url, target.headers, target.timeout, insecure=target.insecure) as client:
        report = Report(target.api, client.base, target.profile)
        begin = time.monotonic()
        reach(client, target.api)
        session = Session(target.api, client, target.types, target.sample, listener)
        features = Features(session, target.profile)
        try:
            for check in checks:
                result = run_check(check, session, features, target.profile)
                report.results.append(result)
                session.tidy()
                report_result(result)
        except KeyboardInterrupt:
            report.interrupted = True
        finally:
            report.remaining = clean_up(session)
            report.hints = list(hints(session))
            report.seconds = time.monotonic() - begin
        return report


def reach(client: Client, api: Api) -> None:
    try:
        response = client.send("GET", f"{api.path}?limit=1")
    except NoResponse as failure:
        problem = failure.interaction.problem if failure.interaction else failure.reason
        raise Unreachable(f"{client.base} cannot be reached: {problem}") from None
    if response.status in {401, 407}:
        raise Unreachable(f"{client.base} rejects the credentials ({response.status}); pass others with --header")


def clean_up(session: Session) -> list[str]:
    """Remove the created resources; a second interruption stops that. Return the remaining ones."""
    try:
        return session.clean_up()
    except KeyboardInterrupt:
        return session.remaining()


def hints(session: Session) -> Iterable[str]:
    if session.rejects_values:
        verb = "change" if session.sample else "use"
        yield (
            f"Checks were not run because the server rejects the {session.api.resource} that they create; {verb} "
            "--sample FILE, a JSON object with the members and values that the server accepts."
        )


def run_check(check: Check, session: Session, features: Features, profile: Profile) -> Result:
    kind = profile.kind_of(check.source, check.feature)
    if session.unanswered >= MOST_UNANSWERED:
        return Result(check, kind, Verdict.NOT_RUN, GIVEN_UP)
    session.last = None
    begin = time.monotonic()
    verdict, reason, interaction = outcome_of(check, session, features)
    seconds = time.monotonic() - begin
    if verdict is Verdict.PASSED:
        return Result(check, kind, verdict, seconds=seconds)
    if interaction is None:
        return Result(check, kind, verdict, reason, seconds=seconds)
    shown = interaction.secrets.hide(reason)
    return Result(check, kind, verdict, shown, interaction.request_text(), interaction.response_text(), seconds)


def outcome_of(check: Check, session: Session, features: Features) -> tuple[Verdict, str, Interaction | None]:
    try:
        features.require(check.feature)
        check.run(session)
    except Outcome as outcome:
        return outcome.verdict, outcome.reason, outcome.interaction or session.last
    except Exception as error:  # noqa: BLE001 - an unexpected response is a failure of the server, not of this program
        reason = f"a readable response; this one is not as expected at all ({type(error).__name__}: {error})"
        return Verdict.FAILED, reason[:500], session.last
    return Verdict.PASSED, "", None
