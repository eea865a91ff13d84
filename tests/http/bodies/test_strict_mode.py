"""Strict mode: what a request brings in must be known to the contract, in whatever form it comes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api import JSON_PATCH, MERGE_PATCH, Api, Document, refusal
from tests.http.conftest import SALES, Services

QUERY_PATCH = "application/json-patch-query+json"
LEAD = {"name": "x", "note": [{"id": "1", "text": "n"}], "channel": {"id": "1", "name": "c"}}


@pytest.fixture(scope="module")
def strict(services: Services) -> Api:
    return services.api(services.on("memory", "--strict"), SALES)


@pytest.fixture
def at(strict: Api) -> str:
    return f"/salesLead/{strict.create('/salesLead', LEAD)['id']}"


@pytest.mark.parametrize("media_type", [JSON_PATCH, QUERY_PATCH])
@pytest.mark.parametrize(
    ("operation", "place"),
    [
        ({"op": "add", "path": "/zz", "value": 1}, "/zz"),
        ({"op": "add", "path": "/note/-", "value": {"id": "2", "zz": 1}}, "/note/1/zz"),
        ({"op": "add", "path": "/note/0", "value": {"id": "2", "zz": 1}}, "/note/0/zz"),
        ({"op": "replace", "path": "/note", "value": [{"id": "2"}, {"id": "3", "zz": 1}]}, "/note/1/zz"),
        ({"op": "add", "path": "/note/0/zz", "value": 1}, "/note/0/zz"),
        ({"op": "add", "path": "/note/zz?id=1", "value": 1}, "/note/0/zz"),
        ({"op": "add", "path": "note[?(@.id=='1')].zz", "value": 1}, "/note/0/zz"),
        ({"op": "replace", "path": "", "value": {"name": "y", "zz": 1}}, "/zz"),
        ({"op": "copy", "from": "/name", "path": "/zz"}, "/zz"),
        ({"op": "copy", "from": "/channel", "path": "/note/-"}, "/note/1/name"),
        ({"op": "move", "from": "/channel/name", "path": "/channel/zz"}, "/channel/zz"),
        ({"op": "move", "from": "/note/0", "path": "/channel"}, "/channel/text"),
        ({"op": "add", "path": "/validFor", "value": {"zz": {"yy": 1}}}, "/validFor/zz"),
    ],
    ids=str,
)
def test_a_json_patch_brings_nothing_unknown(
    strict: Api, at: str, operation: Document, place: str, media_type: str
) -> None:
    before = strict.get(at).json()

    message = refusal(strict.patch(at, [operation], as_type=media_type), 400, "invalidBody")

    assert message == f"{place}: is not known to the contract"
    assert strict.get(at).json() == before


def test_everything_unknown_in_a_json_patch_is_reported_at_once(strict: Api, at: str) -> None:
    patch = [{"op": "add", "path": f"/zz{number}", "value": number} for number in range(25)]

    message = refusal(strict.patch(at, patch, as_type=JSON_PATCH), 400, "invalidBody")

    assert message.startswith("/zz0: is not known to the contract; /zz1: ")
    assert message.endswith("; and 5 more")


def test_a_json_patch_says_where_the_schema_of_an_extension_is(strict: Api, at: str) -> None:
    patch = [
        {"op": "add", "path": "/note/0/@schemaLocation", "value": "https://host/schema.json"},
        {"op": "add", "path": "/note/0/zz", "value": {"yy": 1}},
        {"op": "add", "path": "/channel", "value": {"id": "1", "@schemaLocation": "https://host/2.json", "zz": 1}},
    ]

    changed = strict.changed(at, patch, as_type=JSON_PATCH)

    assert changed["note"][0]["zz"] == {"yy": 1}
    assert changed["channel"]["zz"] == 1


@pytest.mark.parametrize(
    ("patch", "place"),
    [
        ([{"op": "add", "path": "/description", "value": "t", "extra": 1}], "/0/extra"),
        (
            [{"op": "test", "path": "/name", "value": "x"}, {"op": "remove", "path": "/note", "@schemaLocation": "x"}],
            "/1/@schemaLocation",
        ),
    ],
)
def test_an_operation_has_no_other_members(strict: Api, at: str, patch: Any, place: str) -> None:
    message = refusal(strict.patch(at, patch, as_type=JSON_PATCH), 400, "invalidBody")

    assert message == f"{place}: is not known to the contract"


def test_misprints_in_operations_are_not_forgiven(strict: Api, at: str) -> None:
    patch = [{"op": "add", "path": "/prospectContact", "value": [{"preferred": "true"}]}]

    message = refusal(strict.patch(at, patch, as_type=JSON_PATCH), 409, "patchResultRefused")

    assert message.startswith("/prospectContact/0/preferred: expected true or false")


def test_a_registration_has_no_other_members(strict: Api) -> None:
    body = {"callback": "http://127.0.0.1:9/x", "query": None, "extra": 1, "@schemaLocation": "x"}

    message = refusal(strict.post("/hub", body), 400, "invalidBody")

    assert message == "/extra: is not known to the contract; /@schemaLocation: is not known to the contract"
    assert strict.get("/hub").json() == []


def test_in_open_mode_all_this_is_taken(services: Services) -> None:
    leads = services.api(services.on("memory"), SALES)
    lead = leads.create("/salesLead", LEAD)

    changed = leads.changed(
        f"/salesLead/{lead['id']}", [{"op": "add", "path": "/note/0/zz", "value": 1, "extra": 1}], as_type=JSON_PATCH
    )

    assert changed["note"][0]["zz"] == 1
    assert leads.patch(f"/salesLead/{lead['id']}", {"zz": 1}, as_type=MERGE_PATCH).status_code == 200


@pytest.mark.parametrize("query", ["fields=nmae", "foo=bar"])
def test_a_request_with_an_unknown_parameter_changes_nothing(strict: Api, at: str, query: str) -> None:
    before, stored = strict.get(at).json(), strict.head("/salesLead").headers["x-total-count"]

    assert strict.post(f"/salesLead?{query}", LEAD).status_code == 400
    assert strict.patch(f"{at}?{query}", {"name": "y"}).status_code == 400

    assert strict.get(at).json() == before
    assert strict.head("/salesLead").headers["x-total-count"] == stored
