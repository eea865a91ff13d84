"""States (the state machine diagrams): every allowed transition, and that nothing else is taken."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tmf_conformance.check import Check, Checks, Failed, NotRun, advice

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.session import Session


def checks(api: Api) -> Checks:
    says = api.sources
    for state, following in api.transitions.items():
        for to in following:
            title = f"from {state} to {to}"
            yield Check(f"state-{state}-to-{to}", title, says["state"], partial(allows, state, to))
    for state in api.states:
        title = f"from {state} to no other state than the diagram has"
        yield Check(f"state-{state}-no-further", title, says["state"], partial(allows_no_other, state))
    yield Check("state-unknown-value", "a state that is none is refused", says["state values"], refuses_unknown)
    conflict = advice(
        "RFC 9110, 15.5.10", "a request that the state of the resource does not allow is answered with 409"
    )
    yield Check("state-forbidden-409", "a forbidden transition is answered with 409", conflict, forbidden_is_409)
    same = advice("RFC 7386, 1", "a value that is the stored one changes nothing, so it is no transition")
    yield Check("state-same-is-no-change", "the state that it has is no transition", same, same_is_taken)


def state_of(session: Session, id: str) -> object:
    return session.read(id).get(session.api.state)


def allows(state: str, to: str, session: Session) -> None:
    id = session.in_state(state)
    answer = session.patch(id, {session.api.state: to})
    answer.expect_success()
    if state_of(session, id) != to:
        raise Failed(f"{session.api.state} is {to} afterwards", session.last)


def allows_no_other(state: str, session: Session) -> None:
    """Refused, or answered without an effect."""
    api = session.api
    id = session.in_state(state)
    for to in api.states:
        if to != state and to not in api.transitions.get(state, ()):
            answer = session.patch(id, {api.state: to})
            if state_of(session, id) != state:
                allowed = " or ".join(api.transitions.get(state, ())) or "nothing, it is final"
                answer.fail(f"a refusal: from {state} to {to} is no transition of the diagram; allowed: {allowed}")


def refuses_unknown(session: Session) -> None:
    id = session.created()
    answer = session.patch(id, {session.api.state: "conformanceState"})
    if state_of(session, id) == "conformanceState":
        answer.fail(f"a refusal: {session.api.state} is one of {', '.join(session.api.states)}")


def forbidden_is_409(session: Session) -> None:
    """The transition from the first state to one that a long way leads to."""
    api = session.api
    id = session.created()
    far = next(state for state in api.states if state != api.initial and state not in api.transitions[api.initial])
    answer = session.patch(id, {api.state: far})
    if answer.is_success:
        raise NotRun("the server does not refuse it at all", answer.exchange)
    answer.expect_status(409)


def same_is_taken(session: Session) -> None:
    api = session.api
    id = session.created()
    session.patch(id, {api.state: api.initial}).expect_success()
