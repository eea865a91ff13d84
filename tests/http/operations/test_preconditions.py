"""Conditional requests over HTTP: 304 and 412 on GET, HEAD, PATCH and DELETE of one resource, never on collections."""

from __future__ import annotations

import httpx
import pytest
from tests.api import MERGE_PATCH, Api, Document, refusal
from tests.http.resources import Resource


@pytest.fixture
def stored(api: Api, resource: Resource) -> Document:
    return api.create(resource.collection, resource.minimal)


def send(api: Api, resource: Resource, stored: Document, method: str, headers: dict[str, str]) -> httpx.Response:
    if method != "PATCH":
        return api.request(method, resource.at(stored), headers)
    return api.patch(resource.at(stored), {resource.text: "new"}, headers, as_type=MERGE_PATCH)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "DELETE"])
@pytest.mark.parametrize("tags", ['"2"', 'W/"1"', '"0", "3"', "1"])
def test_another_tag_in_if_match_is_412(api: Api, resource: Resource, stored: Document, method: str, tags: str) -> None:
    answer = send(api, resource, stored, method, {"If-Match": tags})

    assert answer.status_code == 412
    if method != "HEAD":
        assert refusal(answer, 412, "preconditionFailed") == 'If-Match: the current ETag is "1"'
    assert api.get(resource.at(stored)).json() == stored


@pytest.mark.parametrize("tags", ['"1"', "*", '"0", "1"', '"0","1","2"'])
def test_the_tag_in_if_match_changes_nothing(api: Api, resource: Resource, stored: Document, tags: str) -> None:
    headers = {"If-Match": tags}

    assert api.get(resource.at(stored), headers).json() == stored
    assert api.head(resource.at(stored), headers).status_code == 200
    assert api.patch(resource.at(stored), {}, headers).status_code == 200
    assert api.delete(resource.at(stored), headers).status_code == 204


@pytest.mark.parametrize("tags", ['"1"', "*", 'W/"1"', '"0", W/"1"'])
def test_the_tag_in_if_none_match_is_304_for_who_reads_and_412_for_who_writes(
    api: Api, resource: Resource, stored: Document, tags: str
) -> None:
    headers = {"If-None-Match": tags}

    for method in ("GET", "HEAD"):
        answer = send(api, resource, stored, method, headers)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
    for method in ("PATCH", "DELETE"):
        message = refusal(send(api, resource, stored, method, headers), 412, "preconditionFailed")
        assert message == 'If-None-Match: the current ETag is "1"'
    assert api.get(resource.at(stored)).json() == stored


def test_another_tag_in_if_none_match_changes_nothing(api: Api, resource: Resource, stored: Document) -> None:
    headers = {"If-None-Match": '"0", W/"7"'}

    assert api.get(resource.at(stored), headers).json() == stored
    assert api.patch(resource.at(stored), {resource.text: "new"}, headers).json()[resource.text] == "new"
    assert api.delete(resource.at(stored), headers).status_code == 204


def test_tags_may_come_in_several_headers(api: Api, resource: Resource, stored: Document) -> None:
    answer = httpx.get(f"{api.root}{resource.at(stored)}", headers=[("If-Match", '"0"'), ("If-Match", '"1"')])

    assert answer.json() == stored


def test_if_match_is_asked_first(api: Api, resource: Resource, stored: Document) -> None:
    answer = api.get(resource.at(stored), {"If-Match": '"2"', "If-None-Match": '"1"'})

    refusal(answer, 412, "preconditionFailed")


def test_what_does_not_exist_is_404_before_any_precondition(api: Api, resource: Resource) -> None:
    for headers in ({"If-Match": "*"}, {"If-None-Match": "*"}, {"If-Match": '"1"'}):
        refusal(api.get(f"{resource.collection}/nobody", headers), 404, "notFound")
        refusal(api.delete(f"{resource.collection}/nobody", headers), 404, "notFound")


@pytest.mark.parametrize("headers", [{"If-Match": '"7"'}, {"If-None-Match": "*"}])
def test_a_collection_ignores_preconditions(api: Api, resource: Resource, headers: dict[str, str]) -> None:
    assert api.get(resource.collection, headers).status_code in (200, 206)
    assert api.head(resource.collection, headers).status_code in (200, 206)
    assert api.post(resource.collection, resource.minimal, headers).status_code == 201
