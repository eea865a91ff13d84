"""For each check that both APIs have, a server that it alone finds wrong."""

from __future__ import annotations

from typing import Any

from tests.conformance.mutant import Call, Document, Memory, Mutant, Reply
from tests.conformance.mutations import (
    answer,
    body_becomes,
    both,
    drop,
    edited,
    events,
    events_lose,
    events_without,
    has,
    header,
    in_state,
    into_a_read,
    lacks,
    no_query,
    of_type,
    only,
    pair_becomes,
    pretends,
    put,
    query_has,
    refused,
    replays,
    request,
    status,
    unknown_id,
    without_header,
    without_pair,
)

from tmf_conformance.api import Api
from tmf_conformance.checks.filters import COARSE

FULL = "conformance-"  # in the texts of what a check creates with all attributes


def of_a_full_one(document: Document) -> bool:
    notes = document.get("note") or [{}]
    return isinstance(notes, list) and FULL in str(notes[0].get("author"))


def lose_note(document: Document) -> None:
    if of_a_full_one(document):
        document.pop("note")


def creating(api: Api) -> dict[str, Mutant]:
    plain = lacks("id", "@type", api.state, api.created)
    other = next(state for state in reversed(api.states) if state != api.initial)
    return {
        "create-answers-201": answer("POST list", status(202), lacks("id", "instantSyncQuote")),
        "create-gives-id": answer("POST list", drop("id"), lacks("id")),
        "create-gives-href": answer("POST list", drop("href")),
        "create-keeps-attributes": answer("POST list", edited(lose_note)),
        "create-types": answer("POST list", put(api.created, "yesterday"), lacks(api.created)),
        "create-initial-state": answer("POST list", put(api.state, other), plain),
        "create-date": answer("POST list", drop(api.created), lacks(api.created)),
        "create-keeps-class": answer("POST list", drop("@baseType")),
        "create-location": answer("POST list", without_header("location")),
        "create-location-is-href": Mutant(after=elsewhere),
        "create-default-type": answer("POST list", drop("@type"), lacks("@type")),
        "create-wrong-type-400": answer("POST list", status(422), has("description", {"not": "a text"}), success=False),
        "create-distinct-ids": replays("POST list", lambda earlier, now: earlier == now and "description" in now),
    }


def elsewhere(call: Call, reply: Reply, memory: Memory) -> None:
    if call.what == "POST list" and "location" in reply.headers:
        reply.headers["location"] = f"http://elsewhere.invalid{call.path}/{reply.body.get('id')}"


def reading(api: Api) -> dict[str, Mutant]:
    several = f"fields={api.text},{api.group},{api.state}"
    return {
        "retrieve-answers-200": answer("GET one", status(203)),
        "retrieve-keeps-attributes": answer("GET one", edited(lose_note), no_query),
        "retrieve-types": answer("GET one", put("@baseType", 5), no_query),
        "retrieve-by-href": answer("GET one", edited(lambda it: it.update(href=f"{it.get('href')}x")), no_query),
        "retrieve-is-json": answer("GET one", header("content-type", "text/plain")),
        "retrieve-unknown-404": answer("GET one", status(400), unknown_id, success=False),
        "retrieve-fields": pair_becomes("GET one", "fields=note", ""),
        "list-answers-200": answer("GET list", status(203), no_query),
        "list-has-created": request(
            "GET list", nothing_found, lambda call, _: call.names in ([], ["offset"]) and "offset=-1" not in call.pairs
        ),
        "list-types": answer("GET list", put("@baseType", 5), lambda call, _: "fields" not in call.names),
        "list-keeps-attributes": answer("GET list", edited(lose_note), lambda call, _: "fields" not in call.names),
        "list-fields": pair_becomes("GET list", "fields=note", ""),
        "fields-several": pair_becomes("GET one", several, several.partition(",")[0]),
        "fields-keep-id-and-href": answer("GET one", drop("href"), query_has(f"fields={api.state}")),
        "fields-none": pair_becomes("GET one", "fields=none", ""),
        "fields-nested": pair_becomes("GET one", "fields=relatedParty.role", "fields=relatedParty"),
    }


def nothing_found(call: Call) -> Reply:
    return Reply(200, {"content-type": "application/json"}, b"[]")


def paging(api: Api) -> dict[str, Mutant]:
    text, other = api.text, api.other_text
    first_pages = query_has("limit=2")

    def second_key_ignored(call: Call) -> None:
        call.pairs = [f"sort={text}" if pair.startswith(f"sort={text},") else pair for pair in call.pairs]

    return {
        "page-limit": request(
            "GET list", lambda call: setattr(call, "pairs", [each for each in call.pairs if each != "limit=3"]),
            lambda call, _: "offset" not in call.names,
        ),
        "page-answers-206": answer("GET list", status(200), query_has("limit=1")),
        "page-offset": pair_becomes("GET list", "offset=1", ""),
        "page-cover": pair_becomes("GET list", "offset=3", "offset=2"),
        "page-total-count": answer("GET list", without_header("x-total-count"), first_pages),
        "page-result-count": answer("GET list", without_header("x-result-count"), first_pages),
        "page-link-next": answer("GET list", without_header("link")),
        "page-beyond-end": pair_becomes("GET list", "offset=1000000", ""),
        "page-wrong-limit-400": pair_becomes("GET list", "limit=many", ""),
        "page-wrong-offset-400": pair_becomes("GET list", "offset=-1", ""),
        "sort-ascending": pair_becomes("GET list", f"sort={text}", f"sort=-{text}"),
        "sort-descending": pair_becomes("GET list", f"sort=-{text}", f"sort={text}"),
        "sort-by-two": request("GET list", second_key_ignored, lambda call, _: other in call.query),
    }  # fmt: skip


def filtering(api: Api) -> dict[str, Mutant]:
    start, end = "validFor.startDateTime", "validFor.endDateTime"
    found = {f"filter-{path.replace('@', 'at-')}": ignores(api, path) for path in api.queries}
    return found | {
        "filter-and": without_pair("note.author", lambda _, call: "note.text" in call.names),
        "filter-or-comma": request("GET list", first_alternative, lambda call, _: call.names == [api.text]),
        "filter-or-repeated": request(
            "GET list", lambda call: setattr(call, "pairs", call.pairs[:1]),
            lambda call, _: call.names == [api.text, api.text],
        ),
        "filter-gt": without_pair(f"{start}.gt", lambda value, _: value != "yesterday"),
        "filter-gte": without_pair(f"{start}.gte"),
        "filter-lt": without_pair(f"{start}.lt"),
        "filter-lte": without_pair(f"{start}.lte"),
        "filter-literal-operator": request(
            "GET list", lambda call: setattr(call, "pairs", [each for each in call.pairs if "%3E" not in each])
        ),
        "filter-range": without_pair(f"{end}.lt"),
        "filter-regex": without_pair("note.text.regex"),
        "filter-jsonpath": without_pair("filter"),
        "filter-offset": request(
            "GET list", lambda call: setattr(call, "query", call.query.replace("-02%3A00", "Z"))
        ),
        "filter-wrong-value-400": without_pair(f"{start}.gt", lambda value, _: value == "yesterday"),
    }  # fmt: skip


def ignores(api: Api, path: str) -> Mutant:
    """The filter on this attribute, where the check of it uses it and no other does.

    The check adds the text of a resource to a filter that both of its pair match: those of attributes that many
    resources share, and those of a date when both were created in the same millisecond.
    """

    def is_of_the_check(value: str, call: Call) -> bool:
        if path in COARSE:
            return api.text in call.names
        if len(call.pairs) == 1:
            return "," not in value and (path != api.group or value.startswith(api.group))
        return call.names == [api.text, path] != [path, path]

    return without_pair(path, is_of_the_check)


def first_alternative(call: Call) -> None:
    call.query = call.query.partition(",")[0]


def patching(api: Api) -> dict[str, Mutant]:
    first, second = api.parties
    name, value, change = api.nested
    gone: Document = dict.fromkeys(set(value) - set(change))
    found = {
        "patch-answers-200": answer("PATCH one", status(202)),
        "patch-answers-whole": answer("PATCH one", edited(lose_note)),
        "patch-types": answer("PATCH one", put("@baseType", 5)),
        "merge-patch-changes": request(
            "PATCH one", into_a_read, both(only(api.group), lambda call, _: FULL in str(call.document[api.group]))
        ),
        "merge-patch-keeps-others": request(
            "PATCH one", body_becomes(lambda body: body | {"note": None}), has(api.other_text, "Only this")
        ),
        "merge-patch-null-removes": request("PATCH one", into_a_read, has(api.group, None)),
        "merge-patch-replaces-arrays": request(
            "PATCH one", body_becomes(lambda _: {"relatedParty": [first, second]}), has("relatedParty", [second])
        ),
        "merge-patch-nested": request(
            "PATCH one", body_becomes(lambda _: {name: change | gone}), has(name, change)
        ),
        "patch-plain-json": request("PATCH one", refused(415), of_type("application/json")),
        "patch-unknown-format-415": answer("PATCH one", status(400), of_type("application/xml"), success=False),
        "patch-accept-patch": Mutant(after=without_accept_patch),
        "patch-unknown-404": answer("PATCH one", status(400), unknown_id, success=False),
        "patch-wrong-type-400": answer("PATCH one", status(422), has("description", 5), success=False),
        "patch-refused-whole": Mutant(before=keeps_a_part, after=yet_refuses),
    }  # fmt: skip
    for attribute, new in api.patchable.items():
        found[f"patchable-{attribute}"] = request("PATCH one", into_a_read, both(only(attribute), has(attribute, new)))
    for attribute, new in api.fixed.items():
        found[f"not-patchable-{attribute}"] = pretends({attribute: new})
    return found


def without_accept_patch(call: Call, reply: Reply, memory: Memory) -> None:
    reply.headers.pop("accept-patch", None)


def keeps_a_part(call: Call, memory: Memory) -> None:
    if call.document.get("relatedParty") == "nobody":
        call.body = {"description": call.document["description"]}


def yet_refuses(call: Call, reply: Reply, memory: Memory) -> None:
    if call.document.get("relatedParty") == "nobody":
        reply.status = 400


def operations(call: Call) -> list[Document]:
    return call.body if isinstance(call.body, list) and call.what == "PATCH one" else []


def single(op: str) -> Any:
    return lambda call, memory: [each.get("op") for each in operations(call)] == [op]


def json_patching(api: Api) -> dict[str, Mutant]:
    def test_that_fails(call: Call, memory: Memory) -> bool:
        return any(each.get("value") == "something else" for each in operations(call))

    def of_description(call: Call, memory: Memory) -> bool:
        return [each.get("path") for each in operations(call)] == ["/description"]

    def copied(body: list[Document]) -> list[Document]:
        return [each | {"op": "copy"} for each in body]

    return {
        "json-patch-replace": request("PATCH one", into_a_read, both(single("replace"), of_description)),
        "json-patch-add": request("PATCH one", into_a_read, single("add")),
        "json-patch-remove": request("PATCH one", into_a_read, single("remove")),
        "json-patch-copy": request("PATCH one", into_a_read, single("copy")),
        "json-patch-move": request("PATCH one", body_becomes(copied), single("move")),
        "json-patch-test": request("PATCH one", into_a_read, test_that_fails),
        "json-patch-atomic": Mutant(before=takes_the_first, after=yet_conflicts),
        "json-patch-malformed-400": answer("PATCH one", status(422), single("confuse"), success=False),
        "json-patch-query": request("PATCH one", into_a_read, of_type("application/json-patch-query+json")),
    }


def takes_the_first(call: Call, memory: Memory) -> None:
    if len(operations(call)) == 2:
        call.body = operations(call)[:1]


def yet_conflicts(call: Call, reply: Reply, memory: Memory) -> None:
    if len(operations(call)) == 2:
        reply.status = 409


def lifecycle(api: Api) -> dict[str, Mutant]:
    found = {}
    for state, following in api.transitions.items():
        for to in following:
            asked = both(only(api.state), has(api.state, to), in_state(state))
            found[f"state-{state}-to-{to}"] = request("PATCH one", refused(409), asked)
    for state in api.states:
        illegal = [to for to in api.states if to != state and to not in api.transitions.get(state, ())]
        found[f"state-{state}-no-further"] = pretends({api.state: illegal[-1]}, in_state(state))
    same = both(only(api.state), has(api.state, api.initial), in_state(api.initial))
    return found | {
        "state-unknown-value": pretends({api.state: "conformanceState"}),
        "state-forbidden-409": answer("PATCH one", status(400), only(api.state), success=False),
        "state-same-is-no-change": request("PATCH one", refused(409), same),
    }


def deleting(api: Api) -> dict[str, Mutant]:
    def again(call: Call, memory: Memory) -> bool:
        return call.path in memory.deleted

    def still_there(call: Call, reply: Reply, memory: Memory) -> None:
        if call.what == "GET one" and call.path in memory.deleted:
            reply.status = 200

    def still_listed(call: Call, reply: Reply, memory: Memory) -> None:
        if call.what == "GET list" and call.names == [api.text] and memory.deleted:
            reply.body = [*reply.body, {"id": memory.deleted[-1].rpartition("/")[2]}]

    return {
        "delete-answers-204": answer("DELETE one", status(200)),
        "delete-removes": Mutant(after=still_there),
        "delete-leaves-list": Mutant(after=still_listed),
        "delete-again-404": answer("DELETE one", status(204), again, success=False),
        "delete-unknown-404": answer("DELETE one", status(204), unknown_id, success=False),
    }


def hub(api: Api) -> dict[str, Mutant]:
    def again(call: Call, memory: Memory) -> bool:
        return call.path in memory.deleted

    def asks_for_deletion(call: Call, memory: Memory) -> bool:
        return "DeleteEvent" in str(call.document.get("query"))

    def with_callback(url: str) -> Any:
        return body_becomes(lambda body: body | {"callback": url})

    def same(earlier: Document, now: Document) -> bool:
        return "callback" in now and earlier == now

    return {
        "hub-register": answer("POST hub", status(200)),
        "hub-register-body": answer("POST hub", drop("callback")),
        "hub-register-query": answer("POST hub", put("query", None)),
        "hub-location": answer("POST hub", without_header("location")),
        "hub-several": request("POST hub", refused(400), asks_for_deletion),
        "hub-without-callback": request("POST hub", with_callback("http://listener.invalid/none"), lacks("callback")),
        "hub-unregister-204": answer("DELETE listener", status(200)),
        "hub-unknown-404": answer("DELETE listener", status(204), unknown_id, success=False),
        "hub-again-404": answer("DELETE listener", status(204), again, success=False),
        "hub-duplicate-409": replays("POST hub", same),
        "hub-wrong-query-400": request(
            "POST hub", body_becomes(lambda body: {"callback": body["callback"]}),
            lambda call, _: "yesterday" in str(call.document.get("query")),
        ),
        "hub-wrong-callback-400": request(
            "POST hub", with_callback("http://listener.invalid/wrong"), has("callback", "not a URL")
        ),
        "hub-retrieve": answer("GET listener", put("callback", "http://listener.invalid/another")),
        "hub-list": request("GET hub", nothing_found),
    }  # fmt: skip


def delivery(api: Api) -> dict[str, Mutant]:
    kinds = ("Create", "StateChange", "AttributeValueChange", "Delete")
    found = {f"event-{kind}": events_lose(api.event(kind)) for kind in kinds}

    def renamed(event: Document) -> Document:
        return event | {"event": {"resource": event["event"][api.resource]}}

    def only_the_id(event: Document) -> Document:
        return event | {"event": {api.resource: {"id": event["event"][api.resource]["id"]}}}

    def twice(path: str, event: Document, _: Memory) -> list[tuple[str, Document]]:
        again = event["eventType"] == api.event("AttributeValueChange")
        return [(path, event), (path, event | {"eventId": "another"})][: 1 + again]

    def to_the_gone_too(path: str, event: Document, memory: Memory) -> list[tuple[str, Document]]:
        gone = [callback.rpartition("/")[2] for callback in memory.callbacks if "/gone-" in callback]
        return [*((f"/{place}", event) for place in gone if "/all-" in path), (path, event)]

    return found | {
        "event-envelope": events_without("eventTime"),
        "event-id": events_without("eventId"),
        "event-payload": events(renamed),
        "event-whole-resource": events(only_the_id),
        "event-unregistered": Mutant(event=to_the_gone_too),
        "event-distinct-ids": events(lambda event: event | {"eventId": "1"}),
        "event-query": Mutant(before=query_forgotten, after=query_shown),
        "event-rejected-request": Mutant(event=twice),
    }


def query_forgotten(call: Call, memory: Memory) -> None:
    if call.what == "POST hub" and "/some-" in str(call.document.get("callback")):
        call.body = {"callback": call.document["callback"]}


def query_shown(call: Call, reply: Reply, memory: Memory) -> None:
    if call.what == "POST hub" and "/some-" in str(call.document.get("callback")):
        reply.edit(lambda document: document.update(query=call.document["query"]))


def faults(api: Api) -> dict[str, Mutant]:
    def accepts_all(call: Call) -> None:
        call.headers["accept"] = "application/json"

    def without(name: str) -> Any:
        return lambda call: call.headers.pop(name, None) and None

    def no_json(call: Call, memory: Memory) -> bool:
        return call.content == b'{"description": '

    def has_accept(call: Call, memory: Memory) -> bool:
        return call.headers.get("accept") == "application/xml"

    return {
        "error-has-body": answer("GET one", drop("code"), unknown_id, success=False),
        "error-body-types": answer("GET one", put("status", 404), unknown_id, success=False),
        "error-is-json": answer("GET one", header("content-type", "text/html"), unknown_id, success=False),
        "error-malformed-body-400": answer("POST list", status(422), no_json, success=False),
        "error-media-type-415": answer("POST list", status(400), of_type("application/xml"), success=False),
        "error-array-body-400": answer(
            "POST list", status(422), lambda call, _: isinstance(call.body, list), success=False
        ),
        "error-method-405": answer("POST one", status(404), success=False),
        "error-method-allow": answer("PUT list", without_header("allow"), success=False),
        "error-route-404": answer("GET other", status(400), success=False),
        "error-accept-406": request("GET one", accepts_all, has_accept),
        "etag-if-match-412": request("PATCH one", without("if-match")),
        "etag-if-none-match-304": request("GET one", without("if-none-match")),
    }


PARTS = (creating, reading, paging, filtering, patching, json_patching, lifecycle, deleting, hub, delivery, faults)
