"""What a handler reads of a request."""

from __future__ import annotations

import pytest

from tmf_sales.engine.request import Request


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, None),
        ({b"other": b"1"}, None),
        ({b"if-match": b'"1"', b"other": b"1"}, '"1"'),
        ({b"if-match": b""}, ""),
        ({b"if-match": b'"\xfc"'}, '"ü"'),
    ],
)
def test_a_header_is_found_by_its_name(headers: dict[bytes, bytes], found: str | None) -> None:
    assert Request("patchTicket", "PATCH", {}, "", headers, "http://host", "").header(b"if-match") == found
