"""JSON Patch over HTTP: moves into themselves, and patches that would make a document grow without bound."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api import JSON_PATCH, Api, refusal
from tests.http.conftest import QUOTES, Services
from tests.http.waiting import response_beside_others

QUERY = "application/json-patch-query+json"
INTO_CHILD = [{"op": "move", "from": "/quoteItem/0", "path": "/quoteItem/0/product"}]
TWO_ITEMS = {"quoteItem": [{"id": "1", "note": [{"id": "1", "text": "x"}]}, {"id": "2", "product": {"name": "y"}}]}


@pytest.mark.parametrize(
    "operations",
    [
        INTO_CHILD,
        [{"op": "move", "from": "/quoteItem/0", "path": "quoteItem[?(@.id=='1')].product"}],
        [{"op": "move", "from": "quoteItem[?(@.id=='1')]", "path": "/quoteItem/0/product"}],
        [{"op": "move", "from": "/quoteItem?id=2", "path": "/quoteItem/1/product/x"}],
        [{"op": "move", "from": "/quoteItem/1", "path": "/quoteItem/product?id=2"}],
        [{"op": "move", "from": "/quoteItem?id=2", "path": "/quoteItem/product/deeper?quoteItem.id=2"}],
        [{"op": "move", "from": "$", "path": "/quoteItem/0/product"}],
    ],
)
@pytest.mark.parametrize("as_type", [JSON_PATCH, QUERY])
def test_a_value_cannot_be_moved_into_itself(quotes: Api, operations: Any, as_type: str) -> None:
    quote = quotes.create("/quote", TWO_ITEMS)
    path = f"/quote/{quote['id']}"

    message = refusal(quotes.patch(path, operations, as_type=as_type), 400, "invalidPatch")

    assert message.startswith("operation 0 (move ")
    assert message.endswith("a value cannot be moved into itself (RFC 6902, 4.4)")
    assert quotes.get(path).json() == quote


def test_copies_that_double_a_list_are_stopped_before_they_do_harm(quotes: Api) -> None:
    quote = quotes.create("/quote", {**TWO_ITEMS, "a": [[]]})
    path = f"/quote/{quote['id']}"
    bomb = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 19

    message = refusal(quotes.patch(path, bomb, as_type=JSON_PATCH), 413, "bodyTooLarge")

    assert message == "the patch adds or copies more than 100000 objects and lists"
    assert quotes.get(path).json() == quote


def test_patches_together_cannot_make_more_containers_than_a_body_may_have(quotes: Api) -> None:
    quote = quotes.create("/quote", {**TWO_ITEMS, "a": [[]] * 60_000})
    path = f"/quote/{quote['id']}"

    message = refusal(quotes.patch(path, {"b": [[]] * 60_000}), 409, "patchResultRefused")

    assert message == "the resource: expected at most 100000 objects and lists"
    assert "b" not in quotes.get(path).json()
    assert quotes.changed(path, {"a": None, "b": [[]] * 60_000})["b"]


def test_others_are_answered_while_a_patch_takes_long(services: Services) -> None:
    service = services.on("memory")
    quotes = services.api(service, QUOTES)
    quote = quotes.create("/quote", {**TWO_ITEMS, "a": [[]]})
    growing = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 14
    growing += [{"op": "test", "path": "/category", "value": "never"}]

    path = f"/quote/{quote['id']}"
    answer = response_beside_others(service, lambda: quotes.patch(path, growing, as_type=JSON_PATCH))

    refusal(answer, 409, "patchDoesNotApply")
