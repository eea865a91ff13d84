"""Patches and deletion, for every resource (RFC 7386, RFC 5789; RFC 9110, 13.1.1)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api import JSON, MERGE_PATCH, Api, Document, refusal
from tests.http.resources import Resource
from tests.storage.deviations import NOT_ATOMIC


@pytest.fixture
def stored(api: Api, resource: Resource) -> Document:
    members = {resource.text: "a text", "nested": {"kept": 1, "gone": 2}, "note": [{"id": "1", "text": "n"}]}
    return api.create(resource.collection, resource.body(**members))


@pytest.mark.parametrize(
    "media_type", [MERGE_PATCH, JSON, "Application/Merge-Patch+JSON", "application/json;charset=UTF-8"]
)
@pytest.mark.deviation(NOT_ATOMIC)
def test_a_merge_patch_changes_what_it_names_and_nothing_else(
    api: Api, resource: Resource, stored: Document, media_type: str
) -> None:
    changed = api.changed(resource.at(stored), {resource.text: "another"}, as_type=media_type)

    assert changed == {**stored, resource.text: "another"}
    assert api.get(resource.at(stored)).json() == changed


def test_null_removes_a_member(api: Api, resource: Resource, stored: Document) -> None:
    changed = api.changed(resource.at(stored), {resource.text: None, "note": None, "never": None})

    assert changed == {name: value for name, value in stored.items() if name not in {resource.text, "note"}}


def test_nested_members_are_merged_and_lists_replaced(api: Api, resource: Resource, stored: Document) -> None:
    changed = api.changed(
        resource.at(stored), {"nested": {"gone": None, "new": {"x": []}}, "note": [{"id": "2", "text": "m"}]}
    )

    assert changed["nested"] == {"kept": 1, "new": {"x": []}}
    assert changed["note"] == [{"id": "2", "text": "m"}]


def test_dates_in_a_patch_become_canonical(api: Api, resource: Resource, stored: Document) -> None:
    changed = api.changed(resource.at(stored), {resource.date: "2020-01-01T01:00:00.5+01:00"})

    assert changed[resource.date] == "2020-01-01T00:00:00.500Z"


@pytest.mark.deviation(NOT_ATOMIC)
def test_every_change_is_a_new_revision(api: Api, resource: Resource, stored: Document) -> None:
    tags = [api.patch(resource.at(stored), {resource.text: text}).headers["etag"] for text in "abc"]

    assert tags == ['"2"', '"3"', '"4"']
    assert api.get(resource.at(stored)).headers["etag"] == '"4"'


@pytest.mark.parametrize("keep", [{}, {"nested": {"kept": 1}}, {"nested": {"kept": 1.0}}])
def test_a_patch_that_changes_nothing_is_no_new_revision(
    api: Api, resource: Resource, stored: Document, keep: Document
) -> None:
    answer = api.patch(resource.at(stored), keep)

    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert answer.json() == stored


def test_sending_the_whole_resource_back_changes_nothing(api: Api, resource: Resource, stored: Document) -> None:
    assert api.patch(resource.at(stored), stored).headers["etag"] == '"1"'


def test_the_kind_of_a_value_is_a_change(api: Api, resource: Resource, stored: Document) -> None:
    assert api.changed(resource.at(stored), {"nested": {"kept": True}})["nested"]["kept"] is True


@pytest.mark.parametrize("member", ["id", "href"])
def test_identity_cannot_be_changed(api: Api, resource: Resource, stored: Document, member: str) -> None:
    assert api.patch(resource.at(stored), {member: stored[member]}).status_code == 200

    message = refusal(api.patch(resource.at(stored), {member: "other"}), 400, "notPatchable")

    assert message == f"/{member}: cannot be changed"
    assert api.get(resource.at(stored)).json() == stored


@pytest.mark.parametrize("member", ["id", "href"])
def test_identity_cannot_be_removed(api: Api, resource: Resource, stored: Document, member: str) -> None:
    answer = api.patch(resource.at(stored), {member: None})

    assert f"/{member}: " in refusal(answer, 400, "invalidBody", "notPatchable")


def test_a_mandatory_member_cannot_be_removed(api: Api, resource: Resource, stored: Document) -> None:
    message = refusal(api.patch(resource.at(stored), {resource.mandatory: None}), 400, "invalidBody")

    assert f"/{resource.mandatory}: " in message


def test_all_that_is_wrong_with_a_patch_is_said_at_once_and_nothing_changed(
    api: Api, resource: Resource, stored: Document
) -> None:
    patch = {resource.text: 5, resource.second_text: [], resource.date: "never", "validFor": 7}

    message = refusal(api.patch(resource.at(stored), patch), 400, "invalidBody")

    for member in patch:
        assert f"/{member}: " in message
    assert api.get(resource.at(stored)).json() == stored


def test_a_patch_may_not_turn_a_stored_period_around(api: Api, resource: Resource) -> None:
    period = {"startDateTime": "2020-01-01T00:00:00Z", "endDateTime": "2020-02-01T00:00:00Z"}
    stored = api.create(resource.collection, resource.body(validFor=period))

    answer = api.patch(resource.at(stored), {"validFor": {"endDateTime": "2019-01-01T00:00:00Z"}})

    # Each date is right in itself; together with the stored start the result is not.
    assert "/validFor/endDateTime: " in refusal(answer, 409, "patchResultRefused")
    assert api.get(resource.at(stored)).json() == stored


def test_a_period_that_is_wrong_in_itself_is_refused_as_such(api: Api, resource: Resource, stored: Document) -> None:
    period = {"startDateTime": "2020-02-01T00:00:00Z", "endDateTime": "2020-01-01T00:00:00Z"}

    refusal(api.patch(resource.at(stored), {"validFor": period}), 400, "invalidBody")


@pytest.mark.parametrize("patch", [None, [], "text", 1, True], ids=repr)
def test_a_merge_patch_is_an_object(api: Api, resource: Resource, stored: Document, patch: Any) -> None:
    assert "expected an object" in refusal(api.patch(resource.at(stored), patch), 400, "invalidBody")


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "application/patch+json", "application/merge-patch"]
)
def test_another_media_type_is_refused(api: Api, resource: Resource, stored: Document, media_type: str) -> None:
    answer = api.patch(resource.at(stored), {}, as_type=media_type)

    assert media_type in refusal(answer, 415, "unsupportedMediaType")


def test_a_refused_media_type_is_answered_with_those_that_are_taken(front: Api, resource: Resource) -> None:
    """RFC 5789, 2.2."""
    stored = front.create(resource.collection, resource.minimal)

    answer = front.patch(resource.at(stored), {}, as_type="text/plain")

    assert answer.headers["accept-patch"] == front.get(resource.at(stored)).headers["accept-patch"]


def test_what_does_not_exist_cannot_be_patched(api: Api, resource: Resource) -> None:
    refusal(api.patch(f"{resource.collection}/nothing", {}), 404, "notFound")


def test_the_answer_to_a_patch_has_only_the_fields_asked_for(api: Api, resource: Resource, stored: Document) -> None:
    answer = api.patch(f"{resource.at(stored)}?fields={resource.text}", {resource.text: "new"})

    assert answer.json() == {"id": stored["id"], "href": stored["href"], resource.text: "new"}


def test_a_patch_whose_query_is_refused_changes_nothing(api: Api, resource: Resource, stored: Document) -> None:
    answer = api.patch(f"{resource.at(stored)}?filter=[[", {resource.text: "another"})

    refusal(answer, 400, "invalidFilter")
    assert api.get(resource.at(stored)).json() == stored


@pytest.mark.parametrize("tags", ['"1"', "*", '"7", "1"'])
def test_a_patch_of_the_revision_that_was_read_is_made(
    api: Api, resource: Resource, stored: Document, tags: str
) -> None:
    assert api.patch(resource.at(stored), {resource.text: "new"}, {"If-Match": tags}).status_code == 200


@pytest.mark.parametrize("tags", ['"2"', 'W/"1"', "1", '"0","3"', '"1'])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_of_another_revision_is_refused(
    api: Api, resource: Resource, stored: Document, tags: str, method: str
) -> None:
    headers = {"If-Match": tags, "Content-Type": MERGE_PATCH}

    answer = api.request(method, resource.at(stored), headers, content=b"{}" if method == "PATCH" else None)

    assert 'the current ETag is "1"' in refusal(answer, 412, "preconditionFailed")
    assert api.get(resource.at(stored)).json() == stored


def test_the_state_follows_the_lifecycle(api: Api, resource: Resource, stored: Document) -> None:
    changed = api.changed(resource.at(stored), {resource.state: resource.states[1]})

    assert changed[resource.state] == resource.states[1]


def test_a_state_that_is_not_reached_from_here_is_refused_with_those_that_are(
    api: Api, resource: Resource, stored: Document
) -> None:
    _, second, unreached = resource.states
    api.changed(resource.at(stored), {resource.state: second})

    message = refusal(api.patch(resource.at(stored), {resource.state: unreached}), 409, "forbiddenTransition")

    assert message.startswith(f"/{resource.state}: cannot change from {second} to '{unreached}'; allowed: ")


def test_a_state_that_does_not_exist_is_refused(api: Api, resource: Resource, stored: Document) -> None:
    message = refusal(api.patch(resource.at(stored), {resource.state: "done"}), 400, "invalidBody")

    assert message.startswith(f"/{resource.state}: expected one of ")


def test_a_deleted_resource_is_gone(api: Api, resource: Resource, stored: Document) -> None:
    answer = api.delete(resource.at(stored))

    assert (answer.status_code, answer.content) == (204, b"")
    for again in (api.get(resource.at(stored)), api.patch(resource.at(stored), {}), api.delete(resource.at(stored))):
        refusal(again, 404, "notFound")
    assert api.get(resource.collection, id=stored["id"]).json() == []


def test_a_resource_is_deleted_when_it_still_has_the_revision(api: Api, resource: Resource, stored: Document) -> None:
    assert api.delete(resource.at(stored), {"If-Match": '"1"'}).status_code == 204
