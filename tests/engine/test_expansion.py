"""References that responses replace by what they refer to (TMF630 part 2: expand, depth)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tmf_sales.access import FULL_ACCESS, Access, Grant, Principal
from tmf_sales.app.composition import compose
from tmf_sales.app.context import create_context
from tmf_sales.configuration.settings import Settings
from tmf_sales.engine import expansion
from tmf_sales.engine.expansion import References
from tmf_sales.engine.request import Request, Response
from tmf_sales.errors import InvalidParameter
from tmf_sales.query.expansion import Expansion
from tmf_sales.storage.conditions import Compare, Operator
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Change, Version

URL = "http://host"
QUOTE, LEAD = "tmf648/quote", "tmf699/salesLead"
QUOTES = f"{URL}/tmf-api/quoteManagement/v4/quote"
LEADS = f"{URL}/tmf-api/sales/v4/salesLead"


class Desk:
    """The engines of both APIs on a memory store."""

    def __init__(self) -> None:
        self.service = compose(Settings(store="memory:"))

    async def store(self, kind: str, id: str, **members: Any) -> None:
        change = Change(kind, id, 0, (Version(1, {"id": id, "version": "1", **members}),))
        await self.service.store.commit(change)

    async def call(self, operation: str, query: str = "", id: str = "", **more: Any) -> Response:
        path = "quoteManagement" if operation.endswith("Quote") else "sales"
        handlers = self.service.handlers[f"/tmf-api/{path}/v4"]
        request = Request(operation, "GET", {"id": id}, query, {}, URL, "", **more)
        return await handlers[operation](request)

    async def retrieved(self, query: str, id: str = "q") -> Any:
        return orjson.loads((await self.call("retrieveQuote", query, id)).text)


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.store(LEAD, "l", name="lead")
    return desk


def reference(id: str = "l", **members: str) -> dict[str, str]:
    return {"id": id, "@referredType": "SalesLead", **members}


LEAD_SHOWN = {"id": "l", "href": f"{LEADS}/l", "version": "1", "name": "lead"}


async def test_a_path_expands_references_in_lists_and_objects(desk: Desk) -> None:
    items = [{"id": "1", "product": reference()}, {"id": "2", "product": "text"}, "no object"]
    await desk.store(QUOTE, "q", quoteItem=items, agreement=[reference()])

    shown = await desk.retrieved("expand=quoteItem.product,billingAccount")

    assert shown["quoteItem"] == [{"id": "1", "product": LEAD_SHOWN}, *items[1:]]
    assert shown["agreement"] == [reference()]


@pytest.mark.parametrize(
    "given",
    [
        reference(),
        {"id": "other", "href": f"{LEADS}/l"},
        {"href": "/tmf-api/sales/v4/salesLead/l"},
        reference(href=""),
    ],
)
async def test_a_reference_names_a_resource_by_href_or_by_type_and_id(desk: Desk, given: dict[str, str]) -> None:
    await desk.store(QUOTE, "q", agreement=[given])

    assert (await desk.retrieved("expand=agreement"))["agreement"] == [LEAD_SHOWN]


@pytest.mark.parametrize(
    "given",
    [
        reference("missing"),
        reference(href="http://elsewhere/tmf-api/sales/v4/salesLead/l"),
        {"href": f"{LEADS}/"},
        {"id": "l", "@referredType": "Individual"},
        {"id": "l", "@referredType": 7},
        {"id": 7, "@referredType": "SalesLead"},
        {"id": "l"},
    ],
)
@pytest.mark.parametrize("query", ["expand=agreement", "depth=2"])
async def test_other_references_stay(desk: Desk, query: str, given: dict[str, Any]) -> None:
    await desk.store(QUOTE, "q", agreement=[given])

    assert (await desk.retrieved(query))["agreement"] == [given]


async def test_a_type_name_of_two_served_apis_expands_nothing(desk: Desk) -> None:
    (lead,) = (each for api in desk.service.apis for each in api.resources.values() if each.kind == LEAD)
    twin = type(lead)(**{name: getattr(lead, name) for name in lead.__slots__} | {"kind": "tmf1/lead", "path": "/x"})
    references = References([lead, twin], desk.service.store, lambda _: lambda _: FULL_ACCESS)

    assert references.target(reference(), URL) is None
    assert references.target(reference(href=f"{LEADS}/l"), URL) == (LEAD, "l")


async def test_depth_expands_every_reference_so_many_levels_deep(desk: Desk) -> None:
    await desk.store(QUOTE, "inner", lead=reference())
    await desk.store(QUOTE, "q", any={"where": [{"id": "inner", "href": f"{QUOTES}/inner"}]}, lead=reference())

    one, two = await desk.retrieved("depth=1"), await desk.retrieved("depth=2")

    inner = {"id": "inner", "href": f"{QUOTES}/inner", "version": "1"}
    assert one["any"] == {"where": [{**inner, "lead": reference()}]}
    assert two["any"] == {"where": [{**inner, "lead": LEAD_SHOWN}]}
    assert one["lead"] == two["lead"] == LEAD_SHOWN
    assert await desk.retrieved("depth=0") == await desk.retrieved("")


async def test_a_resource_that_refers_to_itself_ends_at_the_depth(desk: Desk) -> None:
    own = {"id": "q", "@referredType": "Quote"}
    await desk.store(QUOTE, "q", replaces=own)

    bare = {"id": "q", "href": f"{QUOTES}/q", "version": "1"}
    assert await desk.retrieved("depth=2") == {**bare, "replaces": {**bare, "replaces": {**bare, "replaces": own}}}


async def test_an_inner_path_is_about_the_stored_document(desk: Desk) -> None:
    product = {**reference(), "relatedParty": [reference()]}
    await desk.store(QUOTE, "q", quoteItem=[{"product": product}, {"product": {"relatedParty": [reference()]}}])

    items = (await desk.retrieved("expand=quoteItem.product,quoteItem.product.relatedParty"))["quoteItem"]

    assert items == [{"product": LEAD_SHOWN}, {"product": {"relatedParty": [LEAD_SHOWN]}}]


async def test_fields_select_in_what_was_expanded_and_filter_trims_before(desk: Desk) -> None:
    await desk.store(QUOTE, "q", agreement=[reference(), reference("other")])

    shown = await desk.retrieved("expand=agreement&fields=agreement.name&filter=agreement[?(@.id=='l')]")

    assert shown == {"id": "q", "href": f"{QUOTES}/q", "agreement": [{"name": "lead"}]}


async def test_lists_are_expanded_with_and_without_fields(desk: Desk) -> None:
    for id in "ab":
        await desk.store(QUOTE, id, agreement=[reference()])

    full = orjson.loads((await desk.call("listQuote", "expand=agreement&agreement.id=l")).text)
    cut = orjson.loads((await desk.call("listQuote", "expand=agreement&fields=agreement.name")).text)

    assert [each["agreement"] for each in full] == [[LEAD_SHOWN]] * 2
    assert [each["agreement"] for each in cut] == [[{"name": "lead"}]] * 2


async def test_an_expanded_resource_has_no_entity_tag(desk: Desk) -> None:
    await desk.store(QUOTE, "q", agreement=[reference()])
    plain = dict((await desk.call("retrieveQuote", "", "q")).headers)

    response = await desk.call("retrieveQuote", "expand=agreement", "q")

    assert plain[b"etag"] == b'"1"'
    assert response.status == 200
    assert b"etag" not in dict(response.headers)


@pytest.mark.parametrize("operation", ["createQuote", "patchQuote"])
@pytest.mark.parametrize("query", ["expand=agreement", "depth=1"])
async def test_changes_are_not_expanded(desk: Desk, operation: str, query: str) -> None:
    handler = desk.service.handlers["/tmf-api/quoteManagement/v4"][operation]
    request = Request(operation, "POST", {"id": "q"}, query, {}, URL, "", body={"quoteItem": [{"action": "add"}]})

    with pytest.raises(InvalidParameter, match=rf"^{query.split('=')[0]}: expected only in GET and HEAD$"):
        await handler(request)


def references(store: Storage, access: Access) -> References:
    apis = create_context(Settings(store="memory:")).apis
    return References((each for api in apis for each in api.resources.values()), store, lambda _: lambda _: access)


@pytest.mark.parametrize(
    ("access", "seen"),
    [
        (Access((Grant(own=Compare(("name",), Operator.EQ, "other")),)), reference()),
        (Access(()), reference()),
        (Access((Grant(hidden=frozenset({"name"})),)), {"id": "l", "href": f"{LEADS}/l", "version": "1"}),
    ],
)
async def test_a_caller_gets_what_it_could_retrieve_itself(desk: Desk, access: Access, seen: dict[str, str]) -> None:
    request = Request("", "GET", {}, "", {}, URL, "", principal=Principal("me", frozenset()))

    (shown,) = await references(desk.service.store, access).expanded(
        request, [{"lead": reference()}], Expansion((("lead",),))
    )

    assert shown == {"lead": seen}


async def test_the_number_of_resources_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MOST_RESOURCES", 2)
    await desk.store(QUOTE, "two", agreement=[reference(), reference("1"), reference()])
    await desk.store(QUOTE, "three", agreement=[reference(), reference("1"), reference("2")])

    assert (await desk.retrieved("expand=agreement", "two"))["agreement"][0] == LEAD_SHOWN
    expected = "^expand: this would add more than 2 resources; expand fewer references, or use limit$"
    with pytest.raises(InvalidParameter, match=expected):
        await desk.retrieved("expand=agreement", "three")


async def test_the_size_of_what_is_added_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MOST_BYTES", 500)
    await desk.store(LEAD, "large", name="x" * 300)
    await desk.store(QUOTE, "once", agreement=[reference("large")])
    await desk.store(QUOTE, "twice", agreement=[reference("large")] * 2)
    await desk.store(QUOTE, "deep", agreement=[{"id": "twice", "@referredType": "Quote"}])
    await desk.store(QUOTE, "deep-once", agreement=[{"id": "once", "@referredType": "Quote"}] * 2)

    assert (await desk.retrieved("depth=2", "once"))["agreement"][0]["name"] == "x" * 300
    for id in ("twice", "deep", "deep-once"):
        expected = "^depth: this would add more than 500 bytes of resources; expand fewer references, or use limit$"
        with pytest.raises(InvalidParameter, match=expected):
            await desk.retrieved("depth=2", id)
    with pytest.raises(InvalidParameter, match=r"^depth: this would add more than 500 bytes"):
        await desk.call("listQuote", "depth=1&id.in=once,twice")
