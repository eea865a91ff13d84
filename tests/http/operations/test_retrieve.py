"""Retrieval, selection and entity tags, for every resource (TMF630 part 1; RFC 9110, 8.8.3 and 13)."""

from __future__ import annotations

import pytest
from tests.api import Api, Document, refusal
from tests.http.resources import Resource


@pytest.fixture
def stored(api: Api, resource: Resource) -> Document:
    party = {"id": "94587", "name": "Jean Pontus", "role": "Buyer", "@referredType": "Individual"}
    return api.create(resource.collection, resource.body(**{resource.text: "a text", "relatedParty": [party]}))


def test_a_resource_is_read_back_whole(api: Api, resource: Resource, stored: Document) -> None:
    answer = api.get(resource.at(stored))

    assert answer.status_code == 200
    assert answer.json() == stored


def test_a_resource_tells_which_patches_it_takes(api: Api, resource: Resource, stored: Document) -> None:
    answer = api.get(resource.at(stored))

    assert {"application/merge-patch+json", "application/json"} <= set(answer.headers["accept-patch"].split(", "))


def test_what_does_not_exist_is_not_found(api: Api, resource: Resource) -> None:
    message = refusal(api.get(f"{resource.collection}/nothing"), 404, "notFound")

    assert message == f"{resource.name} 'nothing' does not exist"


def test_only_the_fields_asked_for_are_answered(api: Api, resource: Resource, stored: Document) -> None:
    answer = api.get(resource.at(stored), fields=f" {resource.text} , relatedParty.name,unknown")

    assert answer.json() == {
        "id": stored["id"],
        "href": stored["href"],
        resource.text: "a text",
        "relatedParty": [{"name": "Jean Pontus"}],
    }


def test_no_fields_are_id_and_href(api: Api, resource: Resource, stored: Document) -> None:
    assert api.get(resource.at(stored), fields="none").json() == {"id": stored["id"], "href": stored["href"]}


def test_an_entity_tag_is_that_of_the_whole_resource(api: Api, resource: Resource, stored: Document) -> None:
    assert api.get(resource.at(stored), fields="none").headers["etag"] == api.get(resource.at(stored)).headers["etag"]


@pytest.mark.parametrize(
    "fields", ["", ",", "a..b", "a b", "$where", "x" * 2001], ids=lambda text: text[:10] or "empty"
)
def test_fields_that_are_no_names_are_refused(api: Api, resource: Resource, stored: Document, fields: str) -> None:
    assert refusal(api.get(resource.at(stored), fields=fields), 400, "invalidParameter").startswith("fields: ")


@pytest.mark.parametrize("tags", ['"1"', "*", '"0", "1"', 'W/"1"', '"8" , W/"1"'])
def test_a_client_that_has_the_current_revision_gets_304(
    api: Api, resource: Resource, stored: Document, tags: str
) -> None:
    answer = api.get(resource.at(stored), {"If-None-Match": tags})

    assert answer.status_code == 304
    assert answer.headers["etag"] == '"1"'


@pytest.mark.parametrize("tags", ['"2"', "1", '"1', 'w/"1"', '"11"'])
def test_a_client_that_holds_another_revision_gets_this_one(
    api: Api, resource: Resource, stored: Document, tags: str
) -> None:
    assert api.get(resource.at(stored), {"If-None-Match": tags}).json() == stored


def test_head_of_a_resource_has_the_headers_of_get_and_no_body(api: Api, resource: Resource, stored: Document) -> None:
    asked, whole = api.head(resource.at(stored)), api.get(resource.at(stored))

    assert asked.status_code == 200
    assert asked.headers["etag"] == whole.headers["etag"]
    assert asked.headers["content-type"] == whole.headers["content-type"]
    assert asked.content == b""


def test_head_of_what_does_not_exist_has_no_body(api: Api, resource: Resource) -> None:
    answer = api.head(f"{resource.collection}/nothing")

    assert (answer.status_code, answer.content) == (404, b"")
