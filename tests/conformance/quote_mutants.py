"""For each check that only TMF648 has, a server that it alone finds wrong."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial

from tests.conformance.mutant import Call, Document, Memory, Mutant, Reply
from tests.conformance.mutations import (
    answer,
    body_becomes,
    both,
    edited,
    has,
    ignores_at_creation,
    in_state,
    lacks,
    no_query,
    only,
    pretends_as,
    put,
    refused,
    replays,
    request,
    status,
)

from tmf_conformance.api import Api
from tmf_conformance.checks.quote import FORBIDDEN, FORBIDDEN_OF_ITEM
from tmf_conformance.checks.quote_sub_attributes import PARTS, Part

FIRST = ":(version=1)"


def quote(api: Api) -> dict[str, Mutant]:
    return creation() | items() | parts(api) | states() | versions()


def creation() -> dict[str, Mutant]:
    an_item = {"id": "1", "action": "add", "productOffering": {"id": "54gg-zza1"}}

    def with_item(body: Document) -> Document:
        return body | {"quoteItem": [an_item]}

    found = {
        "quote-needs-items": request("POST list", body_becomes(with_item), without_items),
        "quote-needs-one-item": request("POST list", body_becomes(with_item), has("quoteItem", [])),
        "quote-default-instantSyncQuote": answer("POST list", put("instantSyncQuote", True), lacks("instantSyncQuote")),
        "quote-default-version": answer("POST list", put("version", "5"), lacks("version", "id")),
        "quote-instant": answer("POST list", status(202), has("instantSyncQuote", True)),
        "quote-instant-prices": answer("POST list", edited(without_prices), has("instantSyncQuote", True)),
        "quote-patch-by-query": request("PATCH one", body_becomes(of_the_first), by_query),
    }
    for name, value in FORBIDDEN.items():
        found[f"quote-without-{name}"] = ignores_at_creation(
            lambda body, name=name: body.pop(name),  # type: ignore[misc]
            lambda document, name=name, value=value: document.update({name: value}),  # type: ignore[misc]
            has(name, value),
        )
    for name, value in FORBIDDEN_OF_ITEM.items():
        found[f"quote-item-without-{name}"] = ignores_at_creation(
            lambda body, name=name: body["quoteItem"][0].pop(name),  # type: ignore[misc]
            lambda document, name=name, value=value: document["quoteItem"][0].update({name: value}),  # type: ignore[misc]
            partial(item_has, name),
        )
    return found


def without_items(call: Call, memory: Memory) -> bool:
    return bool(call.document) and "quoteItem" not in call.document


def item_has(name: str, call: Call, memory: Memory) -> bool:
    return any(name in item for item in call.document.get("quoteItem", ()))


def without_prices(document: Document) -> None:
    document.pop("quoteTotalPrice", None)
    for item in document.get("quoteItem", ()):
        item.pop("quoteItemPrice", None)


def by_query(call: Call, memory: Memory) -> bool:
    return isinstance(call.body, list) and any("quantity?id=2" in each.get("path", "") for each in call.body)


def of_the_first(body: list[Document]) -> list[Document]:
    return [each | {"path": "/quoteItem/0/quantity"} for each in body]


def of_each_item(change: Callable[[Document], object]) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        for item in document.get("quoteItem", ()):
            change(item)

    return edit


def items() -> dict[str, Mutant]:
    def no_item_has(name: str) -> Callable[[Call, Memory], bool]:
        return lambda call, memory: bool(call.document.get("quoteItem")) and not item_has(name, call, memory)

    def pop(name: str) -> Callable[[Document], None]:
        return of_each_item(lambda item: item.pop(name, None))

    def the_same_id(document: Document) -> None:
        of_each_item(lambda item: item.update(id="1"))(document)

    pending = of_each_item(lambda item: item.update(state="pending"))
    return {
        "quote-item-default-quantity": answer("POST list", edited(pop("quantity")), no_item_has("quantity")),
        "quote-item-initial-state": answer("POST list", edited(pending), lacks("id")),
        "quote-item-id": answer("POST list", edited(the_same_id), no_item_has("id")),
        "quote-item-nested": answer("POST list", edited(pop("quoteItem"))),
    }


def parts(api: Api) -> dict[str, Mutant]:
    return {f"quote-part-{row.context}": completes(api, row) for row in PARTS}


def completes(api: Api, row: Part) -> Mutant:
    """Takes what lacks an attribute, by putting it in."""

    def complete(call: Call, memory: Memory) -> None:
        if call.what != "POST list" or "quoteItem" not in call.document:
            return
        for name in row.needed:
            lacking = {other: value for other, value in row.part.items() if other != name}
            described = call.document | {"quoteItem": deepcopy(api.minimal()["quoteItem"])}
            row.put(described, lacking)
            if described == call.document:
                whole = deepcopy(call.document)
                row.put(whole, dict(row.part))
                call.body = whole

    return Mutant(before=complete)


def states() -> dict[str, Mutant]:
    def items_stay(document: Document) -> None:
        if document.get("state") == "approved" and len(document.get("quoteItem", ())) == 2:
            of_each_item(lambda item: item.update(state="inProgress"))(document)

    def not_dated(document: Document) -> None:
        if document.get("state") == "approved":
            document.pop("effectiveQuoteCompletionDate", None)

    def rejects_an_item(call: Call, memory: Memory) -> None:
        if call.what == "PATCH one" and "rejected" in str(call.document.get("quoteItem")):
            memory.marked.add(call.id)

    def quote_stays(call: Call, reply: Reply, memory: Memory) -> None:
        if call.what == "GET one" and call.id in memory.marked:
            reply.edit(lambda document: document.update(state="approved"))

    describes = only("description")
    return {
        "quote-approved-items": answer("GET one", edited(items_stay), no_query),
        "quote-rejected-item": Mutant(before=rejects_an_item, after=quote_stays),
        "quote-approved-closed": pretends_as(lambda call: call.document, both(describes, in_state("approved"))),
        "quote-pending-open": request("PATCH one", refused(409), both(describes, in_state("pending"))),
        "quote-completion-date": answer("GET one", edited(not_dated), no_query),
        "quote-final-stays": pretends_as(lambda call: call.document, both(describes, in_state("cancelled"))),
    }


def versions() -> dict[str, Mutant]:
    next_one = has("id")
    rejected = of_each_item(lambda item: item.update(state="rejected"))

    def same(earlier: Document, now: Document) -> bool:
        return "id" in now and "version" in now and all(earlier.get(name) == now[name] for name in ("id", "version"))

    def has_two(call: Call, memory: Memory) -> bool:
        return memory.versions.get(call.id, 0) > 1

    def the_first(call: Call) -> None:
        call.path += FIRST

    def the_current(call: Call) -> None:
        call.path = call.path.removesuffix(FIRST)

    def of_the_first(call: Call, memory: Memory) -> bool:
        return call.path.endswith(FIRST)

    def only_the_first(call: Call, reply: Reply, memory: Memory) -> None:
        if call.what == "GET list" and call.names == ["id"]:
            reply.body = [each for each in reply.body if each.get("version") == "1"]

    def any_version(call: Call) -> None:
        call.pairs = [pair for pair in call.pairs if not pair.startswith("version=")]

    return {
        "version-create": answer("POST list", put("version", "9"), next_one),
        "version-state": answer("POST list", put("state", "rejected"), next_one),
        "version-item-state": answer("POST list", edited(rejected), next_one),
        "version-differs": replays("POST list", same),
        "version-current": request("GET one", the_first, both(has_two, no_query)),
        "version-list-all": Mutant(after=only_the_first),
        "version-list-one": request("GET list", any_version, lambda call, _: "id" in call.names),
        "version-retrieve": request("GET one", the_current, of_the_first),
        "version-patch-current": request("PATCH one", the_first, has_two),
        "version-patch-one": request("PATCH one", the_current, of_the_first),
    }
