"""Creation, for every resource that a contract describes (TMF630 part 1, POST)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tests.api import Api, as_bytes, document_of, refusal
from tests.http.resources import Resource
from tests.storage.deviations import DOTTED_NAMES, LISTS_IN_LISTS, NO_NEGATIVE_ZERO

BAD_DATES = {
    "a misprint of the specification": "2019-05-013T12:45:12.028Z",
    "a day alone": "2019-05-13",
    "no offset": "2019-05-13T12:00:00",
    "no such day": "2019-02-30T12:00:00Z",
    "no such hour": "2019-02-13T24:00:00Z",
    "no such offset": "2019-05-13T12:00:00+24:00",
    "the year 0": "0000-05-13T12:00:00Z",
    "before the year 1 in UTC": "0001-01-01T00:00:00+01:00",
    "after the year 9999 in UTC": "9999-12-31T23:59:59-01:00",
    "a blank in front": " 2019-05-13T12:00:00Z",
    "nothing": "",
    "other digits": "\uff12\uff10\uff11\uff19-05-13T12:00:00Z",
}


def test_a_created_resource_has_an_href_that_is_its_location(api: Api, resource: Resource) -> None:
    answer = api.post(resource.collection, resource.minimal)

    document = document_of(answer)
    assert answer.status_code == 201
    assert document["href"] == answer.headers["location"] == f"{api.root}{resource.at(document)}"
    assert api.request("GET", answer.headers["location"].removeprefix(api.root)).json() == document


def test_a_created_resource_has_the_entity_tag_of_its_first_revision(api: Api, resource: Resource) -> None:
    answer = api.post(resource.collection, resource.minimal)

    assert answer.headers["etag"] == api.get(resource.at(answer.json())).headers["etag"] == '"1"'


def test_a_created_resource_starts_in_the_first_state_of_its_lifecycle(api: Api, resource: Resource) -> None:
    document = api.create(resource.collection, resource.minimal)

    assert document[resource.state] == resource.states[0]
    assert document["@type"] == resource.name


def test_the_same_body_twice_makes_two_resources(api: Api, resource: Resource) -> None:
    first, second = (api.create(resource.collection, resource.minimal) for _ in range(2))

    assert first["id"] != second["id"]


def test_a_class_of_its_own_is_kept(api: Api, resource: Resource) -> None:
    extension = {"@type": "Special", "@baseType": resource.name, "@schemaLocation": "https://host/special.json"}

    document = api.create(resource.collection, resource.body(**extension))

    assert extension.items() <= api.get(resource.at(document)).json().items()


@pytest.mark.deviation(LISTS_IN_LISTS, DOTTED_NAMES)
def test_attributes_that_the_contract_does_not_know_are_kept(api: Api, resource: Resource) -> None:
    unknown = {
        "colour": "blue",
        "nested": {"deep": [1, {"when": "2019-05-13T12:00:00+02:00"}, None, True, 1.5, "é\u0001𝄞"]},
        "nothing": None,
        "": "no name",
        "with.dot": 1,
    }

    document = api.create(resource.collection, resource.body(**unknown))

    assert unknown.items() <= api.get(resource.at(document)).json().items()


@pytest.mark.deviation(NO_NEGATIVE_ZERO)
def test_values_are_kept_to_the_last_digit_and_character(api: Api, resource: Resource) -> None:
    values = (
        b'[0,-0.0,1.0,0.1,1e308,5e-324,9007199254740991,-9007199254740991,123456789012.345,"\\u0000","\\ud834\\udd1e"]'
    )
    body = as_bytes(resource.minimal)[:-1] + b',"values":' + values + b"}"

    document = api.create(resource.collection, body)

    assert as_bytes(api.get(resource.at(document)).json()["values"]) == as_bytes(orjson.loads(values))


def test_a_resource_without_its_mandatory_member_is_refused(front: Api, resource: Resource) -> None:
    message = refusal(front.post(resource.collection, {}), 400, "invalidBody")

    assert message == f"/{resource.mandatory}: is required"


def test_href_may_not_be_sent(front: Api, resource: Resource) -> None:
    message = refusal(front.post(resource.collection, resource.body(href="http://here/1")), 400, "invalidBody")

    assert message == "/href: may not be sent"


@pytest.mark.parametrize("body", [None, True, 5, "text", []], ids=repr)
def test_a_body_that_is_no_object_is_refused(front: Api, resource: Resource, body: Any) -> None:
    assert "expected an object" in refusal(front.post(resource.collection, body), 400, "invalidBody")


def test_an_empty_body_is_refused(front: Api, resource: Resource) -> None:
    assert "the body is empty" in refusal(front.post(resource.collection, b""), 400, "malformedBody")


def test_a_null_member_is_not_sent(front: Api, resource: Resource) -> None:
    created = front.create(resource.collection, resource.body(**{resource.text: None, "unknown": None}))

    assert resource.text not in created
    assert created["unknown"] is None


def test_a_null_mandatory_member_is_missing(front: Api, resource: Resource) -> None:
    message = refusal(front.post(resource.collection, resource.body(**{resource.mandatory: None})), 400, "invalidBody")

    assert message == f"/{resource.mandatory}: is required"


def test_all_that_is_wrong_with_a_body_is_said_at_once(front: Api, resource: Resource) -> None:
    body = {resource.text: 5, "href": "x", resource.date: "never", "@type": [], resource.state: "nowhere"}

    message = refusal(front.post(resource.collection, body), 400, "invalidBody")

    for place in (*body, resource.mandatory):
        assert f"/{place}: " in message


def test_twenty_violations_are_reported_and_the_others_counted(front: Api, resource: Resource) -> None:
    parties = [{"@referredType": "Individual"} for _ in range(25)]

    message = refusal(front.post(resource.collection, resource.body(relatedParty=parties)), 400, "invalidBody")

    reported = [f"/relatedParty/{number}/id: is required" for number in range(20)]
    assert message == "; ".join([*reported, "and 5 more"])


def test_no_more_than_forty_characters_of_a_value_come_back(front: Api, resource: Resource) -> None:
    sent = "ab" * 5000

    answer = front.post(resource.collection, resource.body(**{resource.date: sent}))

    assert "ab" * 10 in refusal(answer, 400, "invalidBody")
    assert "ab" * 20 not in answer.text


def test_what_comes_back_of_a_value_is_escaped(front: Api, resource: Resource) -> None:
    body = resource.body(**{resource.date: "\r\n\x1b[31m\u202e"})

    message = refusal(front.post(resource.collection, body), 400, "invalidBody")

    assert message.isascii()
    assert message.isprintable()


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2019-05-13T12:45:12.028Z", "2019-05-13T12:45:12.028Z"),
        ("2019-05-13t12:45:12z", "2019-05-13T12:45:12.000Z"),
        ("2019-05-13T12:45:12.0289999Z", "2019-05-13T12:45:12.028Z"),
        ("2019-05-13T01:15:00+05:30", "2019-05-12T19:45:00.000Z"),
        ("2019-12-31T23:30:00-01:00", "2020-01-01T00:30:00.000Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("2020-02-29T00:00:00-00:00", "2020-02-29T00:00:00.000Z"),
    ],
)
def test_every_instant_is_kept_in_one_form(front: Api, resource: Resource, sent: str, stored: str) -> None:
    document = front.create(resource.collection, resource.body(**{resource.date: sent}))

    assert document[resource.date] == front.get(resource.at(document)).json()[resource.date] == stored


@pytest.mark.parametrize("text", BAD_DATES.values(), ids=BAD_DATES.keys())
def test_what_is_no_instant_is_refused(front: Api, resource: Resource, text: str) -> None:
    message = refusal(front.post(resource.collection, resource.body(**{resource.date: text})), 400, "invalidBody")

    assert message.startswith(f"/{resource.date}: ")


def test_a_period_may_not_end_before_it_starts(front: Api, resource: Resource) -> None:
    # As text the end looks later than the start; as instants it is an hour earlier.
    period = {"startDateTime": "2019-01-01T12:00:00Z", "endDateTime": "2019-01-01T13:00:00+02:00"}

    message = refusal(front.post(resource.collection, resource.body(validFor=period)), 400, "invalidBody")

    assert message == "/validFor/endDateTime: must not be before startDateTime"


def test_a_period_may_end_when_it_starts(front: Api, resource: Resource) -> None:
    period = {"startDateTime": "2019-01-01T12:00:00Z", "endDateTime": "2019-01-01T14:00:00+02:00"}

    document = front.create(resource.collection, resource.body(validFor=period))

    assert document["validFor"]["startDateTime"] == document["validFor"]["endDateTime"] == "2019-01-01T12:00:00.000Z"


def test_the_answer_to_a_creation_has_only_the_fields_asked_for(api: Api, resource: Resource) -> None:
    answer = api.post(f"{resource.collection}?fields={resource.text}", resource.body(**{resource.text: "short"}))

    document = document_of(answer)
    assert document == {"id": document["id"], "href": answer.headers["location"], resource.text: "short"}


def test_a_correlation_id_has_a_bound(front: Api, resource: Resource) -> None:
    headers = {"X-Correlation-ID": "c" * 256}

    message = refusal(front.post(resource.collection, resource.minimal, headers), 400, "invalidParameter")

    assert message == "X-Correlation-ID: must have at most 255 characters"
