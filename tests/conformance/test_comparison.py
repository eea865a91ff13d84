"""What was sent is compared with what came back as a reader would: instants, not texts; what was added is welcome."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.service_under_test import APIS

from tmf_conformance.comparison import missing, parse_date_time, same, value_at
from tmf_conformance.http.links import absolute, origin_of, path_of
from tmf_conformance.response_types import ResponseTypes


@pytest.mark.parametrize(
    ("sent", "got", "lost"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1}, {}, ["/a"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, ["/a/b", "/a/c"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "id": "1"}]}, []),
        ({"a": [1, 2]}, {"a": [1]}, ["/a"]),
        ({"a": [1, 2]}, {"a": [1, 3]}, ["/a/1"]),
        ({"a": {"b": 1}}, {"a": None}, ["/a"]),
        ({"a": True}, {"a": 1}, ["/a"]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": "2019-01-01T12:00:00Z"}, {"a": "2019-01-01T14:00:00.000+02:00"}, []),
        ({"a": "2019-01-01T12:00:00Z"}, {"a": "2019-01-01T12:00:01Z"}, ["/a"]),
        (5, None, ["/"]),
    ],
)
def test_what_did_not_come_back_is_named(sent: Any, got: Any, lost: list[str]) -> None:
    assert missing(sent, got) == lost


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2019-01-01", "2019-13-01T00:00:00Z", "2019-01-01T00:00:00", None, 5]
)
def test_what_is_no_date_time_is_no_instant(text: object) -> None:
    assert parse_date_time(text) is None


def test_the_ends_of_time_are_no_error() -> None:
    assert parse_date_time("0001-01-01T00:00:00+23:59") is None
    assert not same("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")


def test_a_dotted_path_goes_through_arrays() -> None:
    assert value_at({"a": [{"b": {"c": 1}}, {}]}, "a.b.c") == 1
    assert value_at({"a": []}, "a.b") is None
    assert value_at({"a": "text"}, "a.b") is None


@pytest.mark.parametrize("link", [None, 5, "http://[", "http://[::1/x"])
def test_what_is_no_link_leads_nowhere(link: Any) -> None:
    assert path_of(link) == ""
    assert isinstance(link, str) is False or absolute("http://host/", link) == ""
    assert isinstance(link, str) is False or origin_of(link) == ""


def test_a_link_is_read_as_seen_from_its_place() -> None:
    assert absolute("http://host/a/b", "/c?x=1") == "http://host/c?x=1"
    assert origin_of("http://host:80/a") == "http://host:80"
    assert path_of("http://host/a/b?c") == "/a/b"


@pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))
def test_answers_are_read_leniently(api: Any) -> None:
    types = ResponseTypes(api.contract)
    long = "x" * 100_000

    assert types.violations(api.type, {}) == []
    assert types.violations(api.type, {"id": "1", "unknown": {"a": 1}, "description": long, "validFor": None}) == []
    assert types.violations(api.type, {"description": 5, api.created: "yesterday"}) != []
    assert types.violations(api.type, {api.state: "somewhere", "note": {}})[0].startswith("/")


@pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))
def test_what_the_run_sends_is_of_its_types(api: Any) -> None:
    types = ResponseTypes(api.contract)

    for body in (api.minimal(), api.body("mark", 0), api.body("mark", 1), dict(api.patchable)):
        assert types.violations(api.type, body) == []
