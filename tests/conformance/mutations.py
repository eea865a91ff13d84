"""The pieces that mutants are made of: which requests and answers they touch, and what they do to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from tests.conformance.mutant import Call, Document, Memory, Mutant, Reply

When = Callable[[Call, Memory], bool]
Edit = Callable[[Document], object]
MERGE = "application/merge-patch+json"


def always(call: Call, memory: Memory) -> bool:
    return True


def lacks(*names: str) -> When:
    """A body without these members."""
    return lambda call, _: not any(name in call.document for name in names)


def has(name: str, value: Any = ...) -> When:
    return lambda call, _: name in call.document and (value is ... or call.document[name] == value)


def only(name: str) -> When:
    return lambda call, _: list(call.document) == [name]


def no_query(call: Call, memory: Memory) -> bool:
    return not call.query


def unknown_id(call: Call, memory: Memory) -> bool:
    return call.id.endswith("-unknown")


def of_type(media_type: str) -> When:
    return lambda call, _: call.headers.get("content-type") == media_type


def query_has(text: str) -> When:
    return lambda call, _: text in call.pairs


def in_state(state: str) -> When:
    return lambda call, memory: memory.states.get(call.id) == state


def both(*conditions: When) -> When:
    return lambda call, memory: all(holds(call, memory) for holds in conditions)


# Answers


def answer(what: str, change: Callable[[Reply], object], when: When = always, *, success: bool = True) -> Mutant:
    """Change the answers to such requests; those that are a success, or the others."""

    def after(call: Call, reply: Reply, memory: Memory) -> None:
        if call.what == what and reply.is_success is success and when(call, memory):
            change(reply)

    return Mutant(after=after)


def status(number: int) -> Callable[[Reply], None]:
    def change(reply: Reply) -> None:
        reply.status = number
        if number == 204:
            reply.content = b""
            reply.headers["content-length"] = "0"

    return change


def without_header(name: str) -> Callable[[Reply], object]:
    return lambda reply: reply.headers.pop(name, None)


def header(name: str, value: str) -> Callable[[Reply], None]:
    def change(reply: Reply) -> None:
        reply.headers[name] = value

    return change


def edited(edit: Edit) -> Callable[[Reply], None]:
    return lambda reply: reply.edit(edit)


def drop(name: str) -> Callable[[Reply], None]:
    return edited(lambda document: document.pop(name, None))


def put(name: str, value: Any) -> Callable[[Reply], None]:
    return edited(lambda document: document.update({name: value}))


# Requests


def request(what: str, change: Callable[[Call], Any], when: When = always) -> Mutant:
    """Change such requests on their way in; a Reply that the change returns is the answer."""

    def before(call: Call, memory: Memory) -> Reply | None:
        if call.what == what and when(call, memory):
            changed = change(call)
            return changed if isinstance(changed, Reply) else None
        return None

    return Mutant(before=before)


def refused(number: int) -> Callable[[Call], Reply]:
    return lambda call: Reply(number, {"content-type": "application/json"}, b'{"code": "mutant", "reason": "no"}')


def into_a_read(call: Call) -> None:
    """Taken, answered with what is stored, and without any effect."""
    call.method, call.content = "GET", b""
    call.headers = {name: value for name, value in call.headers.items() if not name.startswith("content-")}


def body_becomes(change: Callable[[Any], Any]) -> Callable[[Call], None]:
    def become(call: Call) -> None:
        call.body = change(call.body)

    return become


def without_pair(name: str, when: Callable[[str, Call], bool] = lambda value, call: True) -> Mutant:
    """A list that ignores a parameter; `when` looks at its value."""

    def strip(call: Call) -> None:
        call.pairs = [pair for pair in call.pairs if not is_it(pair, call)]

    def is_it(pair: str, call: Call) -> bool:
        own, _, value = pair.partition("=")
        return unquote(own) == name and when(unquote(value), call)

    return request("GET list", strip)


def pair_becomes(what: str, old: str, new: str) -> Mutant:
    def replace(call: Call) -> None:
        call.pairs = [new if pair == old else pair for pair in call.pairs if pair != old or new]

    return request(what, replace)


# More than one request


def pretends(change: Document, when: When = always) -> Mutant:
    """A patch with these members is answered as if it had been taken, and reads show it."""
    return pretends_as(lambda call: change if call.document == change else None, when)


def pretends_as(taken: Callable[[Call], Document | None], when: When = always) -> Mutant:
    def before(call: Call, memory: Memory) -> None:
        if call.what == "PATCH one" and (change := taken(call)) is not None and when(call, memory):
            memory.pretended.setdefault(call.id, {}).update(change)
            into_a_read(call)

    def after(call: Call, reply: Reply, memory: Memory) -> None:
        if call.target == "one" and reply.is_success and (change := memory.pretended.get(call.id)):
            reply.edit(lambda document: document.update(change) if "id" in document else None)

    return Mutant(before=before, after=after)


def replays(what: str, same: Callable[[Document, Document], bool]) -> Mutant:
    """A request like an earlier one is answered with the earlier answer, and has no effect."""

    def before(call: Call, memory: Memory) -> Reply | None:
        if call.what != what:
            return None
        for body, reply in zip(memory.bodies, memory.replies, strict=True):
            if reply.is_success and same(body, call.document):
                return Reply(reply.status, dict(reply.headers), reply.content)
        return None

    return Mutant(before=before)


def ignores_at_creation(take: Callable[[Document], Any], give: Callable[[Document], object], when: When) -> Mutant:
    """What may not be sent is taken out on the way in and put into the answer."""

    def before(call: Call, memory: Memory) -> None:
        if call.what == "POST list" and when(call, memory):
            body = call.body
            take(body)
            call.body = body

    def after(call: Call, reply: Reply, memory: Memory) -> None:
        if call.what == "POST list" and reply.is_success and when(call, memory):
            reply.edit(give)

    return Mutant(before=before, after=after)


# Events


def events(change: Callable[[Document], Document | None]) -> Mutant:
    """Events changed on their way, or lost."""

    def event(path: str, body: Document, _: Memory) -> list[tuple[str, Document]]:
        changed = change(body)
        return [] if changed is None else [(path, changed)]

    return Mutant(event=event)


def events_lose(kind: str) -> Mutant:
    return events(lambda event: None if event.get("eventType") == kind else event)


def events_without(name: str) -> Mutant:
    return events(lambda event: {other: value for other, value in event.items() if other != name})
