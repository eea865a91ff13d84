"""Messages name places that a client wrote: in one line of plain characters, and few of them, whatever was sent."""

from __future__ import annotations

import pytest
from tests.api import JSON_PATCH, Api, Document, refusal

HOSTILE = "a\u202e\n\x1b[31m<script>"
SHOWN = "/a\\u202e\\n\\x1b[31m<script>"
LONG = "x" * 100_000


@pytest.fixture(scope="session")
def store() -> str:
    """Messages do not depend on the store."""
    return "memory"


@pytest.fixture(scope="module")
def final(leads: Api) -> str:
    lead = leads.create("/salesLead", {"name": "x"})
    at = f"/salesLead/{lead['id']}"
    leads.changed(at, {"status": "cancelled"})
    return at


@pytest.mark.parametrize(("name", "place"), [(LONG, f"/{'x' * 60}..."), (HOSTILE, SHOWN)], ids=["long", "hostile"])
def test_a_final_state_names_what_it_closes(leads: Api, final: str, name: str, place: str) -> None:
    message = refusal(leads.patch(final, {name: 1}), 409, "finalState")

    assert message.startswith(f"{place}: cannot change while status is cancelled")


def test_a_final_state_names_twenty_members_and_counts_the_others(leads: Api, final: str) -> None:
    message = refusal(leads.patch(final, {f"m{number:04}": 1 for number in range(5000)}), 409, "finalState")

    assert "/m0019, and 4980 more: cannot change" in message
    assert "/m0020" not in message


@pytest.mark.parametrize(
    ("operation", "reported"),
    [
        ({"op": "remove", "path": f"/{HOSTILE}"}, f"nothing is at {SHOWN}"),
        ({"op": "remove", "path": f"/{'x' * 900}"}, f"nothing is at /{'x' * 60}..."),
        ({"op": "move", "from": f"/{HOSTILE}", "path": "/x"}, f"nothing is at {SHOWN}"),
        ({"op": "remove", "path": ""}, "the whole resource cannot be removed or moved"),
        ({"op": "move", "from": "", "path": ""}, "the whole resource cannot be removed or moved"),
        ({"op": "test", "path": "/name", "value": HOSTILE}, "test failed: the current value differs"),
    ],
    ids=["hostile", "long", "hostile from", "whole", "whole from", "value"],
)
def test_a_patch_that_does_not_apply_names_the_place(leads: Api, operation: Document, reported: str) -> None:
    lead = leads.create("/salesLead", {"name": "x"})

    message = refusal(
        leads.patch(f"/salesLead/{lead['id']}", [operation], as_type=JSON_PATCH), 409, "patchDoesNotApply"
    )

    assert message.startswith(f"operation 0 ({operation['op']} ")
    assert message.endswith(reported)
    assert message.isprintable()
    assert message.isascii()
    assert len(message) < 180


@pytest.mark.parametrize("method", ["post", "patch"])
def test_the_whole_body_has_no_pointer(leads: Api, final: str, method: str) -> None:
    """RFC 6901, 5: "/" is the member whose name is empty."""
    answer = leads.post("/salesLead", []) if method == "post" else leads.patch(final, [])

    assert refusal(answer, 400, "invalidBody").startswith("the body: expected an object, got a list")
    assert refusal(leads.post("/salesLead", {"name": "x", "channel": {"": 1, "id": 5}}), 400, "invalidBody") == (
        "/channel/id: expected text, got number 5"
    )


@pytest.mark.parametrize("value", [[], 5, "x", None])
def test_a_resource_stays_an_object(leads: Api, final: str, value: object) -> None:
    answer = leads.patch(final, [{"op": "replace", "path": "", "value": value}], as_type=JSON_PATCH)

    assert refusal(answer, 409, "patchResultRefused") == (
        "the resource: expected an object, as a resource cannot become anything else"
    )


def test_places_that_are_deep_are_cut(leads: Api) -> None:
    name, value = "\u202e" * 60, "x"
    for _ in range(50):
        value = {name: value}  # type: ignore[assignment]
    body = {"note": [{"text": value} for _ in range(3)], "channel": {name: value}, "name": 5}

    assert len(refusal(leads.post("/salesLead", body), 400, "invalidBody")) < 1000


def test_an_approved_quote_names_twenty_changed_items(quotes: Api) -> None:
    quote = quotes.create("/quote", {"quoteItem": [{"action": "add"}] * 30})
    at = f"/quote/{quote['id']}"
    quotes.changed(at, {"state": "approved"})

    items = [{"id": str(number), "quantity": 9} for number in range(1, 31)]
    message = refusal(quotes.patch(at, {"quoteItem": items}), 409, "finalState")

    assert "/quoteItem/19, and 10 more: cannot change" in message
