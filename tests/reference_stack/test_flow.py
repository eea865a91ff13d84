"""What both stacks have in common: handlers, representations, and a TMF Error for every failure."""

from __future__ import annotations

import pytest
from tests.api import MERGE_PATCH, Api, document_of, refusal
from tests.http.conftest import Services
from tests.http.resources import LEAD, QUOTE, Resource


@pytest.fixture(params=[LEAD, QUOTE], ids=["lead", "quote"])
def resource(request: pytest.FixtureRequest) -> Resource:
    kind = request.param
    assert isinstance(kind, Resource)
    return kind


@pytest.fixture(params=["asgi", "flask"])
def both(request: pytest.FixtureRequest, services: Services, resource: Resource) -> Api:
    """The API of the resource at hand on the service, and on stock Connexion."""
    return services.api(services.on("memory", stack=str(request.param)), resource.base_path)


def test_a_resource_is_created_read_changed_and_deleted(both: Api, resource: Resource) -> None:
    created = both.post(resource.collection, resource.minimal)
    document = document_of(created)
    assert created.status_code == 201
    assert created.headers["location"] == document["href"] == both.root + resource.at(document)

    read = both.get(resource.at(document))
    assert document_of(read) == document
    assert read.headers["etag"] == created.headers["etag"]

    changed = both.changed(resource.at(document), {resource.text: "changed"})
    assert changed == {**document, resource.text: "changed"}

    assert both.delete(resource.at(document)).status_code == 204
    refusal(both.delete(resource.at(document)), 404, "notFound")


def test_a_list_is_counted_and_paged(both: Api, resource: Resource) -> None:
    for _ in range(3):
        both.create(resource.collection, resource.minimal)

    page = both.get(resource.collection, limit="2", fields="none")

    assert page.status_code == 206
    assert page.headers["x-result-count"] == "2"
    assert [set(one) for one in page.json()] == [{"id", "href"}] * 2
    assert both.head(resource.collection).headers["x-total-count"] == page.headers["x-total-count"]


def test_two_changes_of_one_revision_never_both_succeed(both: Api, resource: Resource) -> None:
    document = both.create(resource.collection, resource.minimal)
    tag = both.get(resource.at(document)).headers["etag"]
    assert both.patch(resource.at(document), {resource.text: "first"}, {"If-Match": tag}).status_code == 200

    second = both.patch(resource.at(document), {resource.text: "second"}, {"If-Match": tag})

    refusal(second, 412, "preconditionFailed")


@pytest.mark.parametrize("path", ["/nothing", "", "/"])
def test_a_path_without_operation_is_not_found(both: Api, path: str) -> None:
    refusal(both.get(path), 404, "noSuchRoute")


def test_a_method_that_a_path_does_not_have_is_answered_with_those_it_has(both: Api, resource: Resource) -> None:
    answer = both.request("PUT", resource.collection)

    refusal(answer, 405, "methodNotAllowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_a_broken_body_an_unknown_type_and_a_bad_parameter_are_tmf_errors(both: Api, resource: Resource) -> None:
    one = f"{resource.collection}/1"
    for answer, status in (
        (both.post(resource.collection, b"{"), 400),
        (both.post(resource.collection, {}), 400),
        (both.get(resource.collection, limit="x"), 400),
        (both.patch(one, {}, as_type="text/plain"), 415),
        (both.patch(one, {}, as_type=MERGE_PATCH), 404),
    ):
        assert answer.status_code == status
        assert answer.json()["@type"] == "Error"
        assert answer.json()["status"] == str(status)


def test_a_trailing_slash_is_the_same_resource(both: Api, resource: Resource) -> None:
    document = both.create(resource.collection, resource.minimal)

    assert document_of(both.get(resource.at(document) + "/")) == document
