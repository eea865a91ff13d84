"""If-Match and If-None-Match: which tags are listed, and what each method makes of it (RFC 9110, 13)."""

from __future__ import annotations

import pytest

from tmf_sales.engine.preconditions import entity_tag, is_not_modified
from tmf_sales.engine.request import Request
from tmf_sales.errors import PreconditionFailed

METHODS = ["GET", "HEAD", "PATCH", "DELETE"]


def evaluate(method: str, **headers: str) -> bool:
    sent = {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()}
    return is_not_modified(Request("x", method, {}, "", {b"accept": b"*/*", **sent}, "http://host", ""), 7)


def test_an_entity_tag_is_strong() -> None:
    assert entity_tag(7) == b'"7"'


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tags", ['"7"', "*", " * ", '"1", "7"', '"1","7","9"', 'W/"7", "7"', '"a,b" ,"7"'])
def test_a_listed_tag_lets_if_match_pass(method: str, tags: str) -> None:
    assert evaluate(method, if_match=tags) is False


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tags", ['"1"', "", "7", '"7', 'W/"7"', '"70", "17"', '"a,"7",b"', '* , "1"', '"\xff"'])
def test_if_match_fails_without_the_strong_tag(method: str, tags: str) -> None:
    with pytest.raises(PreconditionFailed, match='If-Match: the current ETag is "7"'):
        evaluate(method, if_match=tags)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tags", ['"1"', "", "7", 'w/"7"', '"70", W/"17"', '"a,"7",b"'])
def test_if_none_match_passes_without_the_tag(method: str, tags: str) -> None:
    assert evaluate(method, if_none_match=tags) is False


@pytest.mark.parametrize("tags", ['"7"', 'W/"7"', "*", '"1", W/"7"'])
def test_a_tag_of_if_none_match_is_not_modified_for_who_reads_and_fails_for_who_writes(tags: str) -> None:
    assert evaluate("GET", if_none_match=tags)
    assert evaluate("HEAD", if_none_match=tags)
    for method in ("PATCH", "DELETE"):
        with pytest.raises(PreconditionFailed, match='If-None-Match: the current ETag is "7"'):
            evaluate(method, if_none_match=tags)


@pytest.mark.parametrize("method", METHODS)
def test_if_match_comes_first(method: str) -> None:
    with pytest.raises(PreconditionFailed, match=r"^If-Match"):
        evaluate(method, if_match='"1"', if_none_match='"7"')
    assert evaluate(method, if_match='"7"', if_none_match='"1"') is False


def test_other_conditions_are_ignored() -> None:
    assert evaluate("GET", if_modified_since="Sun, 01 Jan 2040 00:00:00 GMT") is False
