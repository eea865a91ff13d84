"""Whatever a server answers, a run ends with a result for each check, in bounded time, and never in an exception."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance import hostile
from tests.conformance.service_under_test import APIS, TYPES, checks_of

from tmf_conformance.api import Api
from tmf_conformance.outcome import Verdict
from tmf_conformance.run import GIVEN_UP, Report, Target, Unreachable, run

TMF699 = APIS["tmf699"]
WRONG = {
    "no JSON": hostile.says(b"<html>Welcome</html>", content_type="text/html"),
    "JSON cut off": hostile.says(b'{"id": "1", "href"'),
    "nothing": hostile.says(b""),
    "null": hostile.says(b"null", 201),
    "a number": hostile.says(b"5", 201),
    "a list of lists": hostile.says(b"[[[]], 5, null]"),
    "a list of nothing": hostile.says(b"[{}]"),
    "members of wrong types": hostile.says(b'{"id": 5, "href": [], "@type": {}, "name": false, "note": "x"}', 201),
    "a text for an id": hostile.says(b'{"id": "../../x?y#z", "href": "http://[", "relatedParty": 1, "note": [1]}', 201),
    "lone surrogates": hostile.says(b'{"id": "\\ud800", "href": "\\udfff", "name": "\\u0000"}', 201),
    "deep nesting": hostile.says(b"[" * 100_000),
    "no UTF-8": hostile.says(b'{"id": "\xff\xfe"}', 201),
    "redirects": hostile.says(b"", 302, location="http://127.0.0.1:1/elsewhere"),
    "a redirect to itself": hostile.says(b"", 307, location="/"),
    "wrong headers": hostile.says(b'{"id": "1"}', 201, location="http://[::1", link="<;>,,rel=next", etag="\xe4"),
    "server errors": hostile.says(b'{"code": "1"}', 500),
    "everything is there": hostile.says(b'{"id": "1"}', 200),
    "no content": hostile.says(b"", 204),
}


SHORT = {"no JSON", "members of wrong types"}  # the others are for the long runs


def report(url: str, api: Api = TMF699, timeout: float = 60.0) -> Report:
    found = run(Target(api, url, TYPES[api.name], timeout=timeout), checks_of(api))
    assert [result.check.id for result in found.results] == [check.id for check in checks_of(api)]
    return found


def cases() -> list[Any]:
    """One API and a few kinds of wrong in the short run."""
    return [
        pytest.param(api, kind, marks=() if api is TMF699 and kind in SHORT else pytest.mark.full)
        for api in APIS.values()
        for kind in WRONG
    ]


@pytest.mark.parametrize(("api", "kind"), cases(), ids=lambda value: getattr(value, "name", value))
def test_wrong_answers_fail_checks_with_a_sentence(api: Api, kind: str) -> None:
    with hostile.hostile(WRONG[kind]) as url:
        found = report(url, api)

    assert not found.conforms
    for result in found.results:
        assert result.verdict is Verdict.PASSED or result.reason
        assert "Error:" not in result.reason, f"{result.check.id}: {result.reason}"


@pytest.mark.parametrize(
    ("answering", "patience", "said"),
    [
        (hostile.silent, 0.2, "no complete response within 0.2 seconds"),
        (hostile.dripping, 0.2, "no complete response within 0.2 seconds"),
        (hostile.cut_off, 60.0, "no response: "),
        (hostile.no_http, 60.0, "no response: "),
    ],
    ids=["silent", "dripping", "cut off", "no http"],
)
def test_a_server_that_gives_no_answer_is_unreachable(answering: hostile.Answering, patience: float, said: str) -> None:
    with hostile.hostile(answering) as url, pytest.raises(Unreachable, match=said):
        report(url, timeout=patience)


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    with hostile.hostile(hostile.endless) as url, pytest.raises(Unreachable, match="larger than 8 MB"):
        report(url)


def test_a_server_that_falls_silent_is_not_waited_for_again_and_again() -> None:
    asked = 0

    def only_once(handler: hostile.Handler) -> None:
        nonlocal asked
        asked += 1
        (hostile.says(b"[]") if asked == 1 else hostile.silent)(handler)

    with hostile.hostile(only_once) as url:
        found = report(url, timeout=0.5)

    assert [result.reason for result in found.results[:3]] == [
        "a complete response; no complete response within 0.5 seconds"
    ] * 3
    assert {result.reason for result in found.results[3:]} == {GIVEN_UP}
    assert asked < 10
    assert found.remaining[0].startswith("possibly 3 whose creation got no response")
