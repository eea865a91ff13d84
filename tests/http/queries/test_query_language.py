"""The query language as clients meet it, on every store: each form of TMF630 part 1 finds the quotes that it means."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from tests.api import Api, Document, refusal
from tests.http.conftest import Services
from tests.http.resources import unique_text


def party(id: str, role: str) -> Document:
    return {"id": id, "role": role, "name": f"Party {id}", "@referredType": "Individual"}


QUOTES: Mapping[str, Document] = {
    "a": {
        "externalId": "ORD-1",
        "requestedQuoteCompletionDate": "2019-04-20T10:00:00Z",
        "instantSyncQuote": False,
        "relatedParty": [party("55", "customer"), party("94587", "seller")],
        "quoteItem": [
            {"action": "add", "quantity": 10, "quoteItem": [{"action": "add", "productOffering": {"id": "inner"}}]}
        ],
    },
    "b": {
        "externalId": "ORD-2",
        "requestedQuoteCompletionDate": "2019-05-13T08:00:00+02:00",
        "relatedParty": [party("55", "seller"), party("77", "customer")],
        "quoteItem": [{"action": "add", "quantity": 2, "productOffering": {"id": "inner"}}],
    },
    "c": {
        "externalId": "x,y;z",
        "requestedQuoteCompletionDate": "2019-05-13T23:59:59.999Z",
        "quoteItem": [{"action": "add", "quantity": 10}, {"action": "modify", "quantity": 3}],
    },
    "d": {
        "externalId": "ORD*",
        "relatedParty": [party("94587", "customer")],
        "quoteItem": [{"action": "delete", "quantity": 1}],
        "limit": "five",
        "colour": {"name": "Ultramarine", "depth": 2.5, "dark": True},
    },
}


class Shelf:
    """The four quotes, under a category that nothing else has; `c` is pending."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.mark = unique_text()
        self.stored = {
            name: api.create("/quote", {**quote, "category": self.mark, "description": name})
            for name, quote in QUOTES.items()
        }
        self.stored["c"] = api.changed(f"/quote/{self.stored['c']['id']}", {"state": "pending"})

    def asked(self, query: str) -> httpx.Response:
        """The answer to a query string, sent as it is written here."""
        return self.api.request("GET", f"/quote?category={self.mark}&{query}")

    def found(self, query: str) -> str:
        """The names of the quotes on the page, in its order."""
        answer = self.asked(query)
        assert answer.status_code in {200, 206}, answer.text
        return "".join(quote["description"] for quote in answer.json())


@pytest.fixture(scope="module")
def shelf(quotes: Api) -> Shelf:
    return Shelf(quotes)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        # equality
        ("externalId=ORD-1", "a"),
        ("externalId.eq=ORD-1", "a"),
        ("externalId%3D%3DORD-1", "a"),
        ("externalId==ORD-1", "a"),
        ("externalId=ord-1", ""),
        ("externalId=ORD*", "d"),
        ("externalId=", ""),
        # other operators as suffix and as literal
        ("requestedQuoteCompletionDate.gt=2019-05-01T00:00:00Z", "bc"),
        ("requestedQuoteCompletionDate%3E2019-05-01T00:00:00Z", "bc"),
        ("requestedQuoteCompletionDate>2019-05-01T00:00:00Z", "bc"),
        ("requestedQuoteCompletionDate.gte=2019-05-13T06:00:00Z", "bc"),
        ("requestedQuoteCompletionDate%3E%3D2019-05-13T06:00:00Z", "bc"),
        ("requestedQuoteCompletionDate>=2019-05-13T06:00:00Z", "bc"),
        ("requestedQuoteCompletionDate.lt=2019-05-13T06:00:00Z", "a"),
        ("requestedQuoteCompletionDate%3C2019-05-13T06:00:00Z", "a"),
        ("requestedQuoteCompletionDate.lte=2019-05-13T06:00:00Z", "ab"),
        ("requestedQuoteCompletionDate%3C%3D2019-05-13T06:00:00Z", "ab"),
        ("externalId.ne=ORD-1", "bcd"),
        ("relatedParty.id.ne=55", "cd"),
        ("externalId.in=ORD-1,ORD-2", "ab"),
        ("relatedParty.exists=true", "abd"),
        ("relatedParty.exists=false", "c"),
        ("requestedQuoteCompletionDate.exists=false", "d"),
        # or
        ("externalId=ORD-1,ORD-2", "ab"),
        ("externalId=ORD-1&externalId=ORD-2", "ab"),
        ("externalId=ORD-1;ORD-2", "ab"),
        ("externalId=ORD-1;externalId=ORD-2", "ab"),
        ("externalId=ORD-1;state=pending", "ac"),
        ("externalId=ORD-1;state=pending&quoteItem.quantity=3", "c"),
        # and, ranges
        ("externalId=ORD-1&state=pending", ""),
        ("requestedQuoteCompletionDate.gt=2019-04-20T10:00:00Z&requestedQuoteCompletionDate.lt=2019-05-13T07", "b"),
        ("requestedQuoteCompletionDate.gt=2019-01&requestedQuoteCompletionDate.gt=2019-04", "bc"),
        # regular expressions
        ("externalId.regex=%5EORD-%5B12%5D$", "ab"),
        ("externalId*=%5EORD-%5B12%5D$", "ab"),
        ("externalId=~%5EORD-1", "a"),
        ("externalId.regex=x,y", "c"),
        ("externalId.regex=%5Eord", ""),
        # paths through lists
        ("relatedParty.id=94587", "ad"),
        ("relatedParty.id=55&relatedParty.role=customer", "ab"),
        ("quoteItem.quantity=10", "ac"),
        ("quoteItem.quantity=10.0", "ac"),
        ("quoteItem.quantity.gt=2.5", "ac"),
        ("quoteItem.productOffering.id=inner", "b"),
        ("quoteItem.quoteItem.productOffering.id=inner", "a"),
        # one element that satisfies several conditions
        ("filter=relatedParty[?(@.role=='customer'%20%26%26%20@.id=='55')]", "a"),
        ("filter=$.relatedParty[?(@.role=='customer'%20%26%26%20@.id=='55')]", "a"),
        ("filter=relatedParty%5B%3F(%40.role%3D%3D'customer'%26%26%40.id%3D%3D'55')%5D", "a"),
        ("filter=$[?(@.state=='pending')]", "c"),
        ("filter=[?(@.state=='pending')]", "c"),
        ("filter=quoteItem[?(@.quantity>5)]", "ac"),
        ("filter=quoteItem[?(@.action=='modify'%20||%20@.action=='delete')]", "cd"),
        ("filter=[?(@.state=='pending')]&filter=relatedParty[?(@.id=='77')]", "bc"),
        ("filter=quoteItem[?(@.quantity>5)]&state=inProgress", "a"),
        # values by their type
        ("requestedQuoteCompletionDate=2019-05-13T06:00:00Z", "b"),
        ("requestedQuoteCompletionDate=2019-05-13T08:00:00%2B02:00", "b"),
        ("requestedQuoteCompletionDate=2019-05-13T08:00:00+02:00", "b"),
        ("requestedQuoteCompletionDate=2019-05-13", "bc"),
        ("requestedQuoteCompletionDate=2019-05", "bc"),
        ("requestedQuoteCompletionDate=2019", "abc"),
        ("requestedQuoteCompletionDate.gt=2019-04", "bc"),
        ("requestedQuoteCompletionDate.gte=2019-05-13", "bc"),
        ("requestedQuoteCompletionDate.lt=2019-05-13", "a"),
        ("requestedQuoteCompletionDate.lte=2019-05-13", "abc"),
        ("instantSyncQuote=false", "abcd"),
        ("instantSyncQuote=true", ""),
        # separators in a value
        ('externalId="x,y;z"', "c"),
        ("externalId=%22x,y;z%22", "c"),
        ("externalId=x%252Cy%253Bz", "c"),
        ("externalId=x%2Cy;z", ""),
        # attributes that the contract does not know, and one that is called like a parameter
        ("colour.name=Ultramarine", "d"),
        ("colour.depth=2.5", "d"),
        ("colour.dark=true", "d"),
        ("colour.name.regex=marine$", "d"),
        ("weight=5", ""),
        ("limit.eq=five", "d"),
    ],
)
def test_a_filter_finds_what_it_means(shelf: Shelf, query: str, found: str) -> None:
    answer = shelf.asked(query)

    assert answer.status_code == 200, answer.text
    assert sorted(quote["description"] for quote in answer.json()) == sorted(found)
    assert answer.headers["x-total-count"] == str(len(found))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sort=externalId", "dabc"),
        ("sort=-externalId", "cbad"),
        ("sort=requestedQuoteCompletionDate", "abcd"),
        ("sort=%2BrequestedQuoteCompletionDate", "abcd"),
        ("sort=+requestedQuoteCompletionDate", "abcd"),
        ("sort=-requestedQuoteCompletionDate", "cbad"),
        ("sort=-state,-externalId", "cbad"),
        ("sort=state,externalId&limit=2&offset=1", "ab"),
        ("sort=externalId&filter=quoteItem[?(@.quantity>5)]", "ac"),
    ],
)
def test_a_page_has_the_order_that_was_asked_for(shelf: Shelf, query: str, found: str) -> None:
    assert shelf.found(query) == found


def test_ties_are_broken_by_id(shelf: Shelf) -> None:
    ids = [quote["id"] for quote in shelf.asked("sort=category").json()]

    assert ids == sorted(quote["id"] for quote in shelf.stored.values())


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ("externalId", {"externalId": "ORD-1"}),
        ("none", {}),
        ("%20externalId%20,%20state%20", {"externalId": "ORD-1", "state": "inProgress"}),
        ("relatedParty.role", {"relatedParty": [{"role": "customer"}, {"role": "seller"}]}),
        (
            "quoteItem.quoteItem.productOffering.id",
            {"quoteItem": [{"quoteItem": [{"productOffering": {"id": "inner"}}]}]},
        ),
        ("nothing", {}),
    ],
)
def test_fields_selects_what_is_shown(shelf: Shelf, fields: str, shown: Document) -> None:
    one = shelf.stored["a"]
    whole = {"id": one["id"], "href": one["href"], **shown}

    assert shelf.asked(f"externalId=ORD-1&fields={fields}").json() == [whole]
    assert shelf.api.request("GET", f"/quote/{one['id']}?fields={fields}").json() == whole


def test_a_filter_on_one_resource_cuts_its_lists_down(shelf: Shelf) -> None:
    path = f"/quote/{shelf.stored['c']['id']}"

    answer = shelf.api.get(path, filter="quoteItem[?(@.quantity<5)]", fields="quoteItem.action")

    assert answer.json()["quoteItem"] == [{"action": "modify"}]


def test_links_keep_filter_and_order_as_they_were_sent(shelf: Shelf) -> None:
    query = f"category={shelf.mark}&quoteItem.quantity%3E0&sort=-externalId"
    answer = shelf.api.request("GET", f"/quote?{query}&limit=3")

    assert answer.status_code == 206
    assert (answer.headers["x-total-count"], answer.headers["x-result-count"]) == ("4", "3")
    assert f'<{shelf.api.root}/quote?{query}&offset=3&limit=3>; rel="next"' in answer.headers["link"]
    rest = shelf.api.request("GET", f"/quote?{query}&offset=3&limit=3")
    assert [quote["description"] for quote in rest.json()] == ["d"]


def test_head_counts_what_a_filter_finds(shelf: Shelf) -> None:
    answer = shelf.api.request("HEAD", f"/quote?category={shelf.mark}&quoteItem.quantity=10&limit=1")

    assert answer.status_code == 206
    assert (answer.headers["x-total-count"], answer.headers["x-result-count"]) == ("2", "1")


def test_the_version_of_current_quotes_is_a_filter_like_any_other(shelf: Shelf) -> None:
    one = shelf.stored["a"]
    second = shelf.api.create("/quote", {**QUOTES["a"], "id": one["id"], "version": "2.0", "category": unique_text()})

    by_id = shelf.api.request("GET", f"/quote?id={one['id']}&version=2.0").json()
    current = shelf.api.request("GET", f"/quote?category={second['category']}&version=2.0").json()

    assert by_id == current == [second]
    assert shelf.found("version=2.0") == ""
    shelf.api.delete(f"/quote/{one['id']}:(version=2.0)")


def test_the_printed_list_request_for_quotes_gives_rows_that_obey_it(quotes: Api) -> None:
    """TMF648, list quotes; the rows printed as its answer obey neither its filter nor its selection."""
    mark = unique_text()
    for date in ("2019-04-11T14:52:21.823Z", "2019-04-18T14:21:31.325Z", "2019-04-29T10:48:28.325Z"):
        body = {"category": mark, "quoteItem": [{"action": "add"}], "requestedQuoteCompletionDate": date}
        quotes.create("/quote", body)
    printed = (
        "fields=id,href,expectedQuoteCompletionDate"
        "&state=inProgress&expectedQuoteCompletionDate.gt=2019-04-12T12:33:43.331Z"
    )

    whole = quotes.request("GET", f"/quote?{printed}&limit=1000")
    own = quotes.request("GET", f"/quote?{printed}&category={mark}&sort=expectedQuoteCompletionDate")

    assert all(set(row) == {"id", "href", "expectedQuoteCompletionDate"} for row in whole.json())
    assert all(row["expectedQuoteCompletionDate"] > "2019-04-12T12:33:43.331Z" for row in whole.json())
    assert {row["id"] for row in own.json()} <= {row["id"] for row in whole.json()}
    assert [row["expectedQuoteCompletionDate"] for row in own.json()] == [
        "2019-04-18T14:21:31.325Z",
        "2019-04-29T10:48:28.325Z",
    ]


def test_the_printed_list_request_for_sales_leads_gives_rows_that_obey_it(leads: Api) -> None:
    """TMF699, list sales leads; the printed rows lack href."""
    mark = unique_text()
    for number in ("94587", "94588"):
        leads.create("/salesLead", {"name": mark, "description": number, "relatedParty": [party(number, "Supplier")]})

    answer = leads.request("GET", f"/salesLead?fields=id,name,description,status&relatedParty.id=94587&name={mark}")

    [row] = answer.json()
    assert set(row) == {"id", "href", "name", "description", "status"}
    assert (row["description"], row["status"]) == ("94587", "acknowledged")


FURTHER: Mapping[str, Document] = {
    "a": {"description": "Stra\u00dfe", "xml:lang": "en", "1st": 5, "ext": {"a.b": "x"}, "colour": None},
    "b": {"description": "STRA\u1e9eE 7", "xml:lang": "de", "1st": [1, 9], "ext": {"a": {"b": "x"}}, "colour": "red"},
    "c": {"description": "other", "7": True, "": "empty", "colour": ["red", "blue"], "ext": [{"a.b": "y"}]},
}


@pytest.fixture(scope="module")
def further(quotes: Api) -> tuple[str, Mapping[str, str]]:
    """Quotes with members that the contract does not know; their mark, and their names by their ids."""
    mark = unique_text()
    created = {
        name: quotes.create("/quote", {"quoteItem": [{"action": "add"}], "externalId": mark, **members})["id"]
        for name, members in FURTHER.items()
    }
    return mark, {id: name for name, id in created.items()}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("description.eqi=stra\u00dfe", "a"),
        ("description.containsi=RA\u1e9eE", "ab"),
        ("description.contains=RA\u1e9eE", "b"),
        ("description.startswithi=STRA", "ab"),
        ("description.endswith=7", "b"),
        ("description.nei=OTHER", "ab"),
        ("description!=other", "ab"),
        ("description.nin=other,x", "ab"),
        ("description.ini=OTHER,Stra\u00dfe", "ac"),
        ("state.eqi=INPROGRESS", "abc"),
        ("colour.isnull=true", "a"),
        ("colour.isnull=false", "bc"),
        ("colour.exists=true", "abc"),
        ("colour.eqi=BLUE", "c"),
        ("%221st%22.between=2,8", "a"),
        ("%221st%22.between=1,8", "ab"),
        ("%22xml:lang%22=en", "a"),
        ("%22xml:lang%22!=en", "bc"),
        ("ext.%22a.b%22=x", "a"),
        ("ext.%22a.b%22.exists=true", "ac"),
        ("ext.a.b=x", "b"),
        ("%227%22=true", "c"),
        ("%22%22=empty", "c"),
        ("filter=[?(@['xml:lang']=='en'||@['7']==true)]", "ac"),
        ("filter=ext[?(@['a.b']=='y')]", "c"),
        ("%22Limit%22.exists=false&page.eq=x", ""),
    ],
)
def test_the_further_operators_and_names_find(
    quotes: Api, further: tuple[str, Mapping[str, str]], query: str, found: str
) -> None:
    mark, names = further

    answer = quotes.request("GET", f"/quote?externalId={mark}&{query}")

    assert answer.status_code == 200, answer.text
    assert "".join(sorted(names[row["id"]] for row in answer.json())) == found


def test_members_of_documents_alone_are_sorted_and_selected(
    quotes: Api, further: tuple[str, Mapping[str, str]]
) -> None:
    mark, names = further

    def order(sort: str) -> str:
        return "".join(names[row["id"]] for row in quotes.request("GET", f"/quote?externalId={mark}&{sort}").json())

    assert order("sort=%22xml:lang%22") == "bac"
    assert order("sort=-%22xml:lang%22,-description") == "abc"
    assert order("sort=ext.%22a.b%22,description") == "abc"
    [row] = quotes.request("GET", f"/quote?externalId={mark}&%22xml:lang%22=en&fields=ext.%22a.b%22,%221st%22").json()
    assert (row["ext"], row["1st"]) == ({"a.b": "x"}, 5)


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("quoteDate.gt=2019-13-01", "invalidFilter", "quoteDate.gt: "),
        ("quoteItem.quantity=ten", "invalidFilter", "quoteItem.quantity: "),
        ("instantSyncQuote.gt=true", "invalidFilter", "instantSyncQuote.gt: "),
        ("state.like=pending", "invalidFilter", "state.like: 'state' is text and has no members; its values are "),
        ("state.gtt=pending", "invalidFilter", "state.gtt: 'state' is text and has no members; its values are "),
        ("state=aproved", "invalidFilter", "state: 'aproved' is not one of inProgress, "),
        (
            "relatedParty.Role=x",
            "invalidFilter",
            "relatedParty.Role: names are case-sensitive; did you mean relatedParty.role?",
        ),
        ("Limit=2", "invalidFilter", "Limit: did you mean limit?"),
        ("per_page=2", "invalidFilter", "per_page: is not a parameter here: use limit"),
        ("criteria=x", "invalidFilter", "criteria: write each filter as a separate parameter"),
        ("externalId.containsi=" + "x" * 501, "invalidFilter", "externalId.containsi: "),
        ("quoteItem.quantity.between=1", "invalidFilter", "quoteItem.quantity.between: expected two values"),
        ("filter=quoteItem[?(@.quantity==00)]", "invalidFilter", "filter: the number '00' at position 25 "),
        ("filter=[?(@.state=='x' and @.id)]", "invalidFilter", "filter: 'and' at position 17 is not supported; write"),
        ("sort=state.x", "invalidParameter", "sort: 'state.x': 'state' is text and has no members"),
        ("fields=State", "invalidParameter", "fields: 'State': names are case-sensitive; did you mean state?"),
        ("externalId.regex=(a)", "invalidFilter", "externalId.regex: "),
        ("filter=relatedParty[?(", "invalidFilter", "filter: "),
        ("filter=relatedParty[0]", "invalidFilter", "filter: "),
        ("sort=relatedParty.id", "invalidParameter", "sort: "),
        ("limit=ten", "invalidParameter", "limit: "),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(quotes: Api, query: str, code: str, message: str) -> None:
    answer = quotes.request("GET", f"/quote?{query}")

    assert refusal(answer, 400, code).startswith(message)


@pytest.mark.parametrize("query", ["colour=red", "state=sold", "fields=colour", "sort=colour"])
def test_strict_mode_refuses_what_the_contract_does_not_know(services: Services, store: str, query: str) -> None:
    api = services.api(services.on(store, "--strict"), "/tmf-api/quoteManagement/v4")

    answer = api.request("GET", f"/quote?{query}")

    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"{query.partition('=')[0]}: ")
