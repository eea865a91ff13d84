"""Queries from clients who mean harm: a clear 400 or an answer, bounded work, nothing executed, nothing changed."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest
from tests.api import Api, Document, refusal
from tests.http.conftest import SALES, Services
from tests.http.resources import unique_text
from tests.query_strings import CORPUS

from tmf_sales.app.context import stored_kinds
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Record, Version

WHEN = "2026-01-01T00:00:00.000Z"
MANY = {"sqlite": 3000, "mongo": 60_000}  # mongod looks at its time limits by a clock that moves every 10 ms
LENGTH = 40  # of a name: a stand-in ends no query early, so what is given up here still runs there for a while


@pytest.fixture(scope="module")
def lead(leads: Api) -> Document:
    """A sales lead that none of the hostile queries may find, change or remove."""
    return leads.create("/salesLead", {"name": unique_text(), "description": "state"})


def is_sendable(raw: str) -> bool:
    """Whether an HTTP client can send it: in ASCII, and short enough for a request's first line."""
    return raw.isascii() and len(raw) <= 8192


@pytest.mark.parametrize("raw", [raw for raw in CORPUS if is_sendable(raw)], ids=lambda raw: raw[:40])
def test_a_hostile_query_is_refused_or_finds_nothing_that_it_should_not(leads: Api, lead: Document, raw: str) -> None:
    answer = leads.request("GET", f"/salesLead?name={lead['name']}&{quote(raw, safe=chr(37) + '&=;,<>[]()$')}")

    assert answer.status_code in {200, 206, 400}, answer.text
    if answer.status_code == 400:
        refusal(answer, 400, "invalidFilter", "invalidParameter")
        assert len(answer.text) < 700
    assert leads.get(f"/salesLead/{lead['id']}").json() == lead


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("status[$ne]=", "'status[$ne]' is not the name of an attribute"),
        ("status%5B%24ne%5D=x", "'status[$ne]' is not the name of an attribute"),
        ("$where=sleep(1000)", "'$where' is not the name of an attribute"),
        ("name.$gt=", "'name.$gt' is not the name of an attribute"),
        ("name%00=a", ""),
        ("name=%00", "'name=\\x00' has a NUL character at position 6"),
        ("name%27%20OR%201=1", ""),
        ("name.regex=(a|aa)%2B$", "name.regex: "),
        ("name.regex=(a%2B)%2B$", "name.regex: "),
        ("name.regex=(.|a)*b", "name.regex: "),
        ("name.regex=.*.*.*.*b", "name.regex: "),
        ("filter=note[?(@.id==1)].." + "a[?(@.b)]" * 50, "filter: "),
        ("filter=[?(@.name=~/(a|aa)%2B$/)]", "filter: "),
        ("filter=$..*", "filter: "),
        ("offset=9007199254740992", "offset: "),
        ("limit=1001", "limit: "),
        ("&".join(f"x{number}=1" for number in range(31)), "x30: more than 30 conditions"),
        ("fields=" + ",".join(f"x{number}" for number in range(51)), "fields: "),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_query_is_refused_with_its_reason(leads: Api, raw: str, message: str) -> None:
    answer = leads.request("GET", f"/salesLead?{raw}")

    assert refusal(answer, 400, "invalidFilter", "invalidParameter").startswith(message)


@pytest.mark.parametrize(
    "raw",
    [
        "name='%20OR%20'1'='1",
        "name='%3B%20DROP%20TABLE%20resource_salesLead;--",
        "name=%7B%22%24gt%22%3A%22%22%7D",
        "name=$where",
        "__proto__.x=1",
        "offset=9007199254740991",
        "filter=[?(@.name=='%5C'%20OR%201=1--')]",
        "name.regex=%5E%5Bx%5D%7B1,100%7D%5B%27%5D$",
    ],
)
def test_text_that_looks_like_code_is_text(leads: Api, lead: Document, raw: str) -> None:
    answer = leads.request("GET", f"/salesLead?{raw}")

    assert (answer.status_code, answer.json()) == (200, [])
    assert leads.get(f"/salesLead/{lead['id']}").json() == lead


@pytest.mark.parametrize(
    "text", ["' OR '1'='1", '{"$gt": ""}', "$where", "x'--", "(a|aa)+$", "a\\", '"', "%", "é\U0001f600"]
)
def test_a_value_of_any_characters_is_found_by_itself(leads: Api, text: str) -> None:
    mark = unique_text()
    one = leads.create("/salesLead", {"name": mark, "description": text})
    leads.create("/salesLead", {"name": mark, "description": "other"})
    doubled = text.replace('"', '""')
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")

    assert leads.get("/salesLead", name=mark, description=f'"{doubled}"').json() == [one]
    assert leads.get("/salesLead", name=mark, filter=f"[?(@.description=='{escaped}')]").json() == [one]


def test_a_query_string_that_is_too_long_is_refused(leads: Api) -> None:
    answer = leads.request("GET", "/salesLead?name=" + "x" * 9000)

    assert answer.status_code in {400, 414}
    assert answer.json()["code"]


async def fill(store: Storage, leads: int) -> None:
    """Leads in which a pattern has a lot to read and finds nothing."""
    await store.open()
    await store.ping()
    for start in range(0, leads, 500):
        units = []
        for number in range(start, start + 500):
            document = {
                "id": f"{number:05}",
                "@type": "SalesLead",
                "name": "a" * LENGTH,
                "status": "acknowledged",
                "creationDate": WHEN,
                "statusChangeDate": WHEN,
            }
            units.append(Record(document["id"], 1, (Version(1, document),)))
        await store.load("tmf699/salesLead", units)
    await store.close()


@pytest.fixture(scope="module", params=["sqlite", "mongo"])
def hurried(services: Services, request: pytest.FixtureRequest) -> Api:
    """A service with many leads that gives one query of the store very little time."""
    service = services.on(request.param, TMF_SALES_STATEMENT_TIMEOUT="0.001")
    url = service.options[service.options.index("--store") + 1]
    asyncio.run(fill(open_store(url, stored_kinds(load_contracts(contracts_folder()))), MANY[request.param]))
    return services.api(service, SALES)


@pytest.mark.parametrize(
    "query",
    ["name.regex=a*a*a*b$", "description.ne=x&sort=description", "filter=[?(@.description=='x'||@.rating=='y')]"],
)
def test_a_query_that_takes_too_long_is_given_up(hurried: Api, query: str) -> None:
    answer = hurried.request("GET", f"/salesLead?{query}")

    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["code"] in {"queryTooExpensive", "storageUnavailable"}
    assert hurried.get("/salesLead/00001").status_code == 200
