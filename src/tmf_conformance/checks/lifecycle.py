"""States (the state machine diagrams): every allowed transition works, and no other does."""

from __future__ import annotations

from functools import partial

from tmf_conformance.api import Api
from tmf_conformance.check import Check, Checks
from tmf_conformance.outcome import Failed, NotRun
from tmf_conformance.session import Session
from tmf_conformance.source import advice


def checks(api: Api) -> Checks:
    says = api.sources
    for state, following in api.transitions.items():
        for to in following:
            title = f"from {state} to {to}"
            yield Check(f"state-{state}-to-{to}", title, says["state"], partial(allows, state, to))
    for state in api.states:
        title = f"from {state} only to the states of the diagram"
        yield Check(f"state-{state}-no-further", title, says["state"], partial(allows_no_other, state))
    yield Check("state-unknown-value", "an unknown state is rejected", says["state values"], rejects_unknown)
    conflict = advice("RFC 9110, 15.5.10", "a request that the state of the resource does not allow returns 409")
    yield Check("state-forbidden-409", "a forbidden transition returns 409", conflict, forbidden_is_409)
    same = advice("RFC 7386, 1", "a patch with the stored value changes nothing, so it is not a transition")
    yield Check("state-same-is-no-change", "a patch with the current state is accepted", same, same_is_accepted)


def state_of(session: Session, id: str) -> object:
    return session.read(id).get(session.api.state)


def allows(state: str, to: str, session: Session) -> None:
    id = session.in_state(state)
    response = session.patch(id, {session.api.state: to})
    response.expect_success()
    if state_of(session, id) != to:
        raise Failed(f"{session.api.state} is {to} afterwards", session.last)


def allows_no_other(state: str, session: Session) -> None:
    """Other transitions must be rejected or have no effect; a server that never changes states proves nothing."""
    api = session.api
    if state == api.initial and not changes_states(session):
        raise NotRun(f"no patch changes {api.state} at all", session.last)
    id = session.in_state(state)
    for to in api.states:
        if to != state and to not in api.transitions.get(state, ()):
            response = session.patch(id, {api.state: to})
            if state_of(session, id) != state:
                allowed = " or ".join(api.transitions.get(state, ())) or "nothing, the state is final"
                response.fail(f"a rejection: from {state} to {to} is not in the diagram; allowed: {allowed}")


def changes_states(session: Session) -> bool:
    """Whether any of the allowed transitions from the initial state works."""
    api = session.api
    for to in api.transitions[api.initial]:
        id = session.created()
        session.patch(id, {api.state: to})
        if state_of(session, id) == to:
            return True
    return False


def rejects_unknown(session: Session) -> None:
    id = session.created()
    response = session.patch(id, {session.api.state: "conformanceState"})
    if state_of(session, id) == "conformanceState":
        response.fail(f"a rejection: {session.api.state} is one of {', '.join(session.api.states)}")


def forbidden_is_409(session: Session) -> None:
    """Try to go from the initial state to a state that is not one transition away."""
    api = session.api
    id = session.created()
    far = next(state for state in api.states if state != api.initial and state not in api.transitions[api.initial])
    response = session.patch(id, {api.state: far})
    if response.is_success:
        raise NotRun("the server does not reject it at all", response.interaction)
    response.expect_status(409)


def same_is_accepted(session: Session) -> None:
    api = session.api
    id = session.created()
    session.patch(id, {api.state: api.initial}).expect_success()
