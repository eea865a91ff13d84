"""Versions of a quote (TMF648, "Version management": POST with an id, and the paths that name a version)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api import JSON_PATCH, Api, Document, document_of, refusal
from tests.http.resources import unique_text

ITEM = {"action": "add"}


@pytest.fixture
def quote(quotes: Api) -> Document:
    return quotes.create("/quote", {"quoteItem": [ITEM], "description": "first", "category": "x"})


def new_version(quotes: Api, quote: Document, version: str | None = None, **members: Any) -> httpx.Response:
    numbered = {} if version is None else {"version": version}
    return quotes.post("/quote", {"id": quote["id"], "quoteItem": [ITEM], **numbered, **members})


def at(quote: Document, version: str = "") -> str:
    return f"/quote/{quote['id']}{version}"


def versions_of(quotes: Api, quote: Document, **parameters: str) -> list[str]:
    answer = quotes.get("/quote", id=quote["id"], **parameters)
    assert answer.status_code == 200
    assert int(answer.headers["x-total-count"]) == len(answer.json())
    return [one["version"] for one in answer.json()]


def test_a_new_version_copies_nothing_and_becomes_the_current_one(quotes: Api, quote: Document) -> None:
    answer = new_version(quotes, quote, description="second")

    second = document_of(answer)
    assert answer.status_code == 201
    assert answer.headers["location"] == second["href"] == quote["href"]
    assert second["version"] == "2"
    assert "category" not in second
    assert (second["state"], second["quoteItem"][0]["state"]) == ("inProgress", "inProgress")
    assert quotes.get(at(quote)).json() == second
    assert quotes.get(at(quote, ":(version=1)")).json() == quote


@pytest.mark.parametrize("state", ["pending", "approved", "cancelled"])
def test_a_new_version_starts_from_any_state_and_leaves_the_old_one_alone(
    quotes: Api, quote: Document, state: str
) -> None:
    old = quotes.changed(at(quote), {"state": state})

    new_version(quotes, quote)

    assert quotes.get(at(quote, ":(version=1)")).json() == old


def test_there_is_no_next_version_after_the_longest_number(quotes: Api, quote: Document) -> None:
    new_version(quotes, quote, "9" * 64)

    message = refusal(new_version(quotes, quote), 409, "conflict")

    assert message.startswith("/version: no number is above '999")
    assert versions_of(quotes, quote) == ["1", "9" * 64]


def test_a_version_of_a_quote_that_does_not_exist_is_not_found(quotes: Api) -> None:
    assert "does not exist" in refusal(new_version(quotes, {"id": "nothing"}), 404, "notFound")


@pytest.mark.parametrize("version", ["1", "1.0", "01", "1.0.0", "001.00"])
def test_the_same_version_again_is_a_conflict(quotes: Api, quote: Document, version: str) -> None:
    refusal(new_version(quotes, quote, version), 409, "versionTaken")

    assert quotes.get(at(quote)).headers["etag"] == '"1"'


@pytest.mark.parametrize("version", ["", "1.", ".1", "1..2", "v2", "-1", "1,2", "\u0661", "1" * 65, "2 ", "2\n"])
def test_what_is_no_version_is_refused(quotes: Api, quote: Document, version: str) -> None:
    assert refusal(new_version(quotes, quote, version), 400, "invalidBody").startswith("/version: ")


@pytest.mark.parametrize("id", [7, "x" * 256])
def test_an_id_that_is_none_is_refused(quotes: Api, id: Any) -> None:
    assert refusal(quotes.post("/quote", {"id": id, "quoteItem": [ITEM]}), 400, "invalidBody").startswith("/id: ")


def test_versions_are_compared_as_numbers(quotes: Api, quote: Document) -> None:
    for version in ("1.9", "1.10", "1.2"):
        assert new_version(quotes, quote, version).json()["version"] == version

    assert quotes.get(at(quote)).json()["version"] == "1.10"
    assert versions_of(quotes, quote) == ["1", "1.2", "1.9", "1.10"]
    assert new_version(quotes, quote).json()["version"] == "2"


def test_a_lower_version_is_created_but_is_not_the_current_one(quotes: Api, quote: Document) -> None:
    lower = document_of(new_version(quotes, quote, "0.9"))

    assert quotes.get(at(quote)).json() == quote
    assert quotes.get(at(quote, ":(version=0.9)")).json() == lower


def test_a_very_long_version_is_a_number_too(quotes: Api, quote: Document) -> None:
    huge = "9" * 64

    assert new_version(quotes, quote, huge).json()["version"] == huge
    assert quotes.get(at(quote)).json()["version"] == huge


@pytest.mark.parametrize(
    "spelling",
    [
        ":(version=1.0)",
        "(Version=1.0)",
        " (version=1)",
        "%3A(version%3D1)",
        "%20(Version=01)",
        "(version=1)",
        ":(Version=1)",
    ],
)
def test_a_path_names_a_version(quotes: Api, quote: Document, spelling: str) -> None:
    new_version(quotes, quote)

    assert quotes.get(at(quote, spelling)).json() == quote
    assert quotes.head(at(quote, spelling)).headers["etag"] == '"1"'


@pytest.mark.parametrize("spelling", [":(version=3)", "(version=1.0.1)"])
def test_a_version_that_does_not_exist_is_not_found(quotes: Api, quote: Document, spelling: str) -> None:
    assert "has no version" in refusal(quotes.get(at(quote, spelling)), 404, "notFound")


@pytest.mark.parametrize("spelling", [":(version=)", ":(version=x)", ":(version=1.)", ":(version=-1)"])
def test_a_path_with_no_version_in_its_place_is_refused(quotes: Api, quote: Document, spelling: str) -> None:
    refusal(quotes.get(at(quote, spelling)), 400, "invalidParameter")


@pytest.mark.parametrize("spelling", [":version=1", "(VERSION=1)", ":(version=1", "((version=1))", ":(revision=1)"])
def test_other_forms_are_part_of_an_unknown_id(quotes: Api, quote: Document, spelling: str) -> None:
    refusal(quotes.get(at(quote, spelling)), 404, "notFound")


def test_one_version_is_patched_and_obeys_its_own_state(quotes: Api, quote: Document) -> None:
    quotes.changed(at(quote), {"state": "cancelled"})
    new_version(quotes, quote)

    refusal(quotes.patch(at(quote, ":(version=1)"), {"description": "x"}), 409, "finalState")
    assert quotes.changed(at(quote), {"description": "x"})["version"] == "2"
    assert quotes.changed(at(quote, ":(version=2)"), {"description": "y"})["description"] == "y"


def test_entity_tags_belong_to_a_version(quotes: Api, quote: Document) -> None:
    second = new_version(quotes, quote).headers["etag"]
    changed = quotes.patch(at(quote, ":(version=1)"), {"description": "x"}).headers["etag"]

    assert quotes.get(at(quote)).headers["etag"] == second
    assert quotes.get(at(quote, ":(version=1)")).headers["etag"] == changed
    refusal(quotes.patch(at(quote), {}, {"If-Match": changed}), 412, "preconditionFailed")
    assert quotes.patch(at(quote), {}, {"If-Match": second}).status_code == 200


def test_a_version_may_be_renumbered_when_the_number_is_free(quotes: Api, quote: Document) -> None:
    new_version(quotes, quote)

    assert quotes.changed(at(quote, ":(version=1)"), {"version": "3"})["version"] == "3"
    assert versions_of(quotes, quote) == ["2", "3"]
    refusal(quotes.patch(at(quote), {"version": "2.0"}), 409, "versionTaken")


def test_a_version_cannot_become_something_that_is_none(quotes: Api, quote: Document) -> None:
    refusal(quotes.patch(at(quote), {"version": "x"}), 400, "invalidBody")
    refusal(quotes.patch(at(quote), {"version": None}), 400, "invalidBody")
    operations = [{"op": "replace", "path": "/version", "value": "x"}]
    refusal(quotes.patch(at(quote), operations, as_type=JSON_PATCH), 409, "patchResultRefused")


def test_a_list_shows_current_versions(quotes: Api) -> None:
    mark = unique_text()
    first = quotes.create("/quote", {"quoteItem": [ITEM], "category": mark})
    other = quotes.create("/quote", {"quoteItem": [ITEM], "category": mark})
    second = document_of(new_version(quotes, first, category=mark))

    found = quotes.get("/quote", category=mark).json()

    assert sorted(found, key=lambda one: str(one["id"])) == sorted([second, other], key=lambda one: str(one["id"]))
    assert quotes.get("/quote", category=mark, version="2").json() == [second]
    assert quotes.get("/quote", category=mark, version="1").json() == [other]


def test_one_id_lists_all_versions_the_oldest_first(quotes: Api, quote: Document) -> None:
    new_version(quotes, quote, "2.0", description="second")

    assert versions_of(quotes, quote) == ["1", "2.0"]
    assert versions_of(quotes, quote, version="2") == ["2.0"]
    assert versions_of(quotes, quote, version="1.0") == ["1"]
    assert versions_of(quotes, quote, version="3") == []
    assert versions_of(quotes, quote, version="first") == []
    assert versions_of(quotes, quote, description="first") == ["1"]
    assert versions_of(quotes, quote, sort="description") == ["1", "2.0"]
    assert versions_of(quotes, quote, sort="-version") == ["2.0", "1"]


def test_versions_are_paged_like_any_list(quotes: Api, quote: Document) -> None:
    second = document_of(new_version(quotes, quote))

    answer = quotes.get("/quote", id=quote["id"], limit=1, offset=1)

    assert answer.status_code == 206
    assert answer.headers["x-total-count"] == "2"
    assert answer.json() == [second]


def test_several_ids_list_current_versions(quotes: Api, quote: Document) -> None:
    second = document_of(new_version(quotes, quote))

    assert quotes.get("/quote", id=f"{quote['id']},nothing").json() == [second]


def test_one_version_is_deleted_and_then_the_rest(quotes: Api, quote: Document) -> None:
    second = document_of(new_version(quotes, quote))

    assert quotes.delete(at(quote, ":(version=2)")).status_code == 204
    refusal(quotes.delete(at(quote, ":(version=2)")), 404, "notFound")
    assert quotes.get(at(quote)).json() == quote
    # The number is free again.
    assert new_version(quotes, quote).json()["version"] == second["version"]
    assert quotes.delete(at(quote)).status_code == 204
    for path in (at(quote), at(quote, ":(version=1)"), at(quote, ":(version=2)")):
        refusal(quotes.get(path), 404, "notFound")


def test_a_quote_is_gone_with_its_last_version(quotes: Api, quote: Document) -> None:
    assert quotes.delete(at(quote, ":(version=1)")).status_code == 204

    refusal(quotes.get(at(quote)), 404, "notFound")
    assert versions_of(quotes, quote) == []


def test_a_new_version_is_never_priced_at_once(quotes: Api) -> None:
    priced = {"quoteItem": [{"productOffering": {"id": "54gg-zza1"}}], "instantSyncQuote": True}
    quote = quotes.create("/quote", {**priced, "instantSyncQuote": False})

    answer = quotes.post("/quote", {**priced, "id": quote["id"]})

    assert answer.status_code == 201
    assert "quoteTotalPrice" not in answer.json()
