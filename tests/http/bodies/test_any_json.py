"""Whatever JSON a client sends, the service answers as its contract says, and never with a failure of its own."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import printed
from tests.api import JSON, JSON_PATCH, MERGE_PATCH, Api, Document
from tests.reference_stack.oracle_requests import mended

EVERY_TIME_THE_SAME = settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
QUERY_PATCH = "application/json-patch-query+json"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts | st.sampled_from(["", "2019-05-06T12:45:12Z", "1", "inProgress"])
members = st.sampled_from(
    [
        "id",
        "href",
        "name",
        "state",
        "status",
        "version",
        "quoteItem",
        "note",
        "relatedParty",
        "validFor",
        "@type",
        "startDateTime",
        "endDateTime",
        "quantity",
        "product",
        "price",
        "instantSyncQuote",
        "@schemaLocation",
    ]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(members | texts, inner, max_size=5),
    max_leaves=20,
)
paths = st.lists(members | texts | st.sampled_from(["0", "-", "1", "~0", "~1", "~2"]), max_size=4).map(
    lambda steps: "".join(f"/{step}" for step in steps)
) | st.sampled_from(["", "/", "$", "quoteItem[?(@.id=='1')].state", "/quoteItem/state?id=1", "$..*", "$[?(@"])
operations = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": paths},
        optional={"value": values, "from": paths},
    ),
    max_size=4,
)


@pytest.fixture(scope="session")
def store() -> str:
    return "memory"


@pytest.fixture(scope="module")
def quote(quotes: Api) -> Document:
    return quotes.create("/quote", printed.text("tmf648-create-request"))


@pytest.fixture(scope="module")
def lead(leads: Api) -> Document:
    return leads.create("/salesLead", mended(printed.read("tmf699-create-request")))


def is_no_failure(answer: httpx.Response) -> None:
    """That the answer is what the contract says has been checked by the client already."""
    assert answer.status_code < 500, answer.text
    assert answer.status_code not in {404, 405, 406, 412, 413, 415}, answer.text


@EVERY_TIME_THE_SAME
@given(body=values)
def test_any_value_as_a_body_to_create(leads: Api, quotes: Api, body: Any) -> None:
    is_no_failure(leads.post("/salesLead", body))
    answer = quotes.post("/quote", body)
    if answer.status_code != 404:  # an id, for which there is no quote to have a new version
        is_no_failure(answer)
    is_no_failure(leads.post("/hub", body))


@EVERY_TIME_THE_SAME
@given(body=values, media_type=st.sampled_from([MERGE_PATCH, JSON, JSON_PATCH, QUERY_PATCH]))
def test_any_value_as_a_patch(
    leads: Api, quotes: Api, lead: Document, quote: Document, body: Any, media_type: str
) -> None:
    is_no_failure(leads.patch(f"/salesLead/{lead['id']}", body, as_type=media_type))
    is_no_failure(quotes.patch(f"/quote/{quote['id']}", body, as_type=media_type))


@EVERY_TIME_THE_SAME
@given(body=operations, media_type=st.sampled_from([JSON_PATCH, QUERY_PATCH]))
def test_any_operations_as_a_patch(quotes: Api, quote: Document, body: Any, media_type: str) -> None:
    is_no_failure(quotes.patch(f"/quote/{quote['id']}", body, as_type=media_type))


@EVERY_TIME_THE_SAME
@given(data=st.data(), sample=st.sampled_from(["tmf648-create-request", "tmf699-create-request"]), value=values)
def test_a_sample_with_one_value_replaced(
    leads: Api, quotes: Api, data: st.DataObject, sample: str, value: Any
) -> None:
    body = copy.deepcopy(printed.read(sample))
    holder, step = data.draw(st.sampled_from(places(body)))
    holder[step] = value

    answer = quotes.post("/quote", body) if "648" in sample else leads.post("/salesLead", body)

    is_no_failure(answer)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every member and element, as what holds it and its name or number."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for step, inner in entries for place in [(value, step), *places(inner)]]


@EVERY_TIME_THE_SAME
@given(
    query=st.lists(
        st.tuples(members | texts | st.sampled_from(["filter", "sort", "fields", "limit"]), texts), max_size=4
    )
)
def test_any_query(quotes: Api, query: list[tuple[str, str]]) -> None:
    for answer in (
        quotes.request("GET", "/quote", params=[*query, ("category", "none")]),
        quotes.request("GET", "/hub", params=query),
    ):
        is_no_failure(answer)
