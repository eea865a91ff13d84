"""`expand` and `depth` over HTTP: references to resources of either API, and who may see what they refer to."""

from __future__ import annotations

import pytest
from tests.api import Api, Document, refusal
from tests.http.conftest import QUOTES, SALES, Services
from tests.http.resources import unique_text
from tests.identity import PARTY, Provider, party

ITEMS = [{"action": "add"}]


@pytest.fixture(scope="module")
def both(services: Services, store: str) -> tuple[Api, Api]:
    service = services.on(store)
    return services.api(service, QUOTES), services.api(service, SALES)


def quote_of(lead: Document, **members: object) -> Document:
    by_href = {"id": lead["id"], "href": lead["href"], "name": "the lead"}
    by_type = {"id": lead["id"], "@referredType": "SalesLead"}
    elsewhere = {"id": "1", "href": "http://crm.example.com/agreement/1", "@referredType": "Agreement"}
    return {"quoteItem": ITEMS, "agreement": [by_href, elsewhere], "salesLead": by_type, **members}


def test_a_reference_is_replaced_by_what_it_refers_to(both: tuple[Api, Api]) -> None:
    quotes, leads = both
    lead = leads.create("/salesLead", {"name": "a lead"})
    quote = quotes.create("/quote", quote_of(lead))

    expanded = quotes.get(f"/quote/{quote['id']}?expand=agreement")

    assert expanded.status_code == 200
    assert expanded.json() == {**quote, "agreement": [lead, quote["agreement"][1]]}
    assert "etag" not in expanded.headers
    assert quotes.get(f"/quote/{quote['id']}").json() == quote


def test_a_change_of_what_is_referred_to_is_seen_in_spite_of_an_entity_tag(both: tuple[Api, Api]) -> None:
    quotes, leads = both
    lead = leads.create("/salesLead", {"name": "before"})
    quote = quotes.create("/quote", quote_of(lead))
    tag = quotes.get(f"/quote/{quote['id']}").headers["etag"]
    changed = leads.changed(f"/salesLead/{lead['id']}", {"name": "after"})

    answer = quotes.get(f"/quote/{quote['id']}?expand=agreement", {"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["agreement"][0] == changed

    refusal(quotes.get(f"/quote/{quote['id']}?expand=agreement", {"If-Match": '"9"'}), 412, "preconditionFailed")


def test_lists_and_depth(both: tuple[Api, Api]) -> None:
    quotes, leads = both
    mark = unique_text()
    lead = leads.create("/salesLead", {"name": "a lead"})
    inner = quotes.create("/quote", quote_of(lead, description=mark))
    outer = quotes.create("/quote", {"quoteItem": ITEMS, "replaces": {"id": inner["id"], "href": inner["href"]}})

    (listed,) = quotes.get("/quote", description=mark, depth=1).json()
    assert listed == {**inner, "agreement": [lead, inner["agreement"][1]], "salesLead": lead}
    (listed,) = quotes.get("/quote", description=mark, expand='"salesLead"', fields="salesLead.name").json()
    assert listed["salesLead"] == {"name": "a lead"}
    one = quotes.get(f"/quote/{outer['id']}", depth=1).json()
    assert one == {**outer, "replaces": inner}
    two = quotes.get(f"/quote/{outer['id']}", depth=2).json()
    assert two["replaces"]["salesLead"] == lead
    assert quotes.head("/quote", description=mark, depth=2).headers["x-total-count"] == "1"


@pytest.mark.parametrize("place", ["/quote", "/quote/{id}"])
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("expand=nothing", "expand: 'nothing' is not an attribute of this resource"),
        ("expand=agreement.nothing", "expand: 'agreement.nothing' is not an attribute of this resource"),
        ("expand=Agreement", "expand: 'Agreement': names are case-sensitive; did you mean agreement?"),
        ("expand=state", "expand: 'state' is not a reference; expected one, which has an id"),
        ("expand=state.id", "expand: 'state.id': 'state' is text and has no members"),
        ("expand=validFor", "expand: 'validFor' is not a reference; expected one, which has an id"),
        ("expand=agre[ement", "expand: 'agre[ement' is not the name of an attribute"),
        ("depth=3", "depth: number 3 is more than 2"),
        ("depth=-1", "depth: number -1 is less than 0"),
        ("depth=all", "depth: expected an integer, got text 'all'"),
        ("depth=1&depth=1", "depth: is given more than once"),
    ],
)
def test_what_cannot_be_expanded_is_rejected(both: tuple[Api, Api], place: str, query: str, message: str) -> None:
    quotes, _ = both
    quote = quotes.create("/quote", {"quoteItem": ITEMS})

    answer = quotes.get(f"{place.format(id=quote['id'])}?{query}")

    assert message in refusal(answer, 400, "invalidParameter")


def test_writes_are_not_expanded(both: tuple[Api, Api]) -> None:
    quotes, _ = both
    for query in ("expand=agreement", "depth=1"):
        answer = quotes.post(f"/quote?{query}", {"quoteItem": ITEMS, "description": "never stored"})
        assert "expected only in GET and HEAD" in refusal(answer, 400, "invalidParameter")
    assert quotes.get("/quote", description="never stored").json() == []


def test_an_expansion_shows_only_what_the_caller_may_retrieve(services: Services, provider: Provider) -> None:
    service = services.on("memory", **provider.environ)
    quotes, leads = services.api(service, QUOTES), services.api(service, SALES)
    admin, customer = provider.headers("admin"), provider.headers("customer")
    lead = leads.post("/salesLead", {"name": "secret"}, admin).json()
    quote = quotes.post("/quote", quote_of(lead, relatedParty=party(PARTY)), admin).json()
    quotes.patch(f"/quote/{quote['id']}", {"state": "approved"}, admin)

    for query in ("expand=agreement", "depth=2"):
        assert "secret" in quotes.get(f"/quote/{quote['id']}?{query}", admin).text
        seen = quotes.get(f"/quote/{quote['id']}?{query}", customer)
        assert seen.status_code == 200
        assert seen.json()["salesLead"] == quote["salesLead"]
    assert leads.get(f"/salesLead/{lead['id']}", customer).status_code == 403


def test_a_token_expands_only_what_its_scopes_may_read(services: Services, provider: Provider) -> None:
    service = services.on("memory", **provider.environ)
    quotes, leads = services.api(service, QUOTES), services.api(service, SALES)
    lead = leads.post("/salesLead", {"name": "secret"}, provider.headers("admin")).json()
    quote = quotes.post("/quote", quote_of(lead), provider.headers("admin")).json()

    seen = quotes.get(f"/quote/{quote['id']}?depth=1", provider.headers("admin", scope="tmf648:read"))

    assert seen.status_code == 200
    assert seen.json() == quote
