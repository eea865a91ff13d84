"""How the service may differ from stock Connexion: each row of connexion-differences.md as a predicate.

A row that mends a call gives it back without what the row is about: the service's answer to that must then have the
status that the other stack gave at once. A row that does not mend states both statuses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from tests.reference_stack.oracle_requests import Call, Steps, mended, without, without_nulls


@dataclass(frozen=True, slots=True)
class Answers:
    """What the two stacks answered to one call."""

    service: httpx.Response
    stock: httpx.Response

    @property
    def agree(self) -> bool:
        return self.service.status_code == self.stock.status_code

    def are(self, service: int, stock: int) -> bool:
        return (self.service.status_code, self.stock.status_code) == (service, stock)


@dataclass(frozen=True, slots=True)
class Difference:
    """One row. `mend`, where there is one, takes out of a call what the stacks see differently."""

    row: str
    explains: Callable[[Call, Answers], bool]
    mend: Callable[[Call, Answers], Call] | None = None


def forbidden_members(answers: Answers) -> list[Steps]:
    """The members that the service names as not to be sent; empty when it refuses for another reason."""
    if answers.service.status_code != 400 or answers.service.json()["code"] != "invalidBody":
        return []
    violations = (text.partition(": ") for text in answers.service.json()["message"].split("; "))
    return [steps_of(pointer) for pointer, _, rule in violations if rule == "may not be sent"]


def steps_of(pointer: str) -> Steps:
    return tuple(int(step) if step.isdigit() else step for step in pointer.split("/")[1:])


def without_forbidden_members(call: Call, answers: Answers) -> Call:
    body = call.body
    for steps in forbidden_members(answers):
        body = without(body, steps)
    return dataclasses.replace(call, body=body)


def forgiven(call: Call) -> Call:
    """The call as standard mode understands it: without misprints, and at creation without null members."""
    body = mended(call.body)
    return dataclasses.replace(call, body=without_nulls(body) if call.method == "POST" else body)


def body_that(*names: str) -> Callable[[Call], bool]:
    return lambda call: call.name in {f"a body that {name}" for name in names}


def row(name: str, concerns: Callable[[Call], bool], service: int, stock: int) -> Difference:
    return Difference(name, lambda call, answers: concerns(call) and answers.are(service, stock))


def is_encoded_otherwise(call: Call) -> bool:
    return "latin-1" in call.headers.get("Content-Type", "") or "Content-Encoding" in call.headers


DIFFERENCES = (
    Difference(
        "leniency",
        lambda call, answers: answers.stock.status_code == 400 and forgiven(call).body != call.body,
        lambda call, _: forgiven(call),
    ),
    Difference(
        "readOnly at creation",
        lambda call, answers: call.method == "POST" and bool(forbidden_members(answers)),
        without_forbidden_members,
    ),
    row("no Content-Type", lambda call: call.name == "a body without Content-Type", 415, 201),
    row("other encodings", is_encoded_otherwise, 415, 200),
    row("unreadable text", body_that("is not UTF-8", "is UTF-16", "has a lone surrogate"), 400, 500),
    row("numbers", body_that("has NaN", "has 1e400", "has 2^53"), 400, 201),
    row("numbers", body_that("has 5,000 digits"), 400, 500),
    row("names", body_that("has a name twice", "has a name with a dollar"), 400, 201),
    row("names", body_that("has a name with a dot", "has a name with NUL"), 400, 201),
    row("depth", body_that("is 70 deep"), 400, 201),
    row("depth", body_that("is 5,000 deep"), 400, 500),
    row("chunked bodies", lambda call: call.name == "a chunked body", 201, 400),
)
