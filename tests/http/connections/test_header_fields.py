"""The header fields of a request by name."""

from __future__ import annotations

from tmf_sales.http.fields import FIELDS, fields_of


def test_a_repeated_field_is_joined_by_commas_and_in_order() -> None:
    lines = [(b"accept", b"text/html"), (b"host", b"a"), (b"accept", b"*/*"), (b"accept", b"image/png")]

    assert fields_of({"headers": lines}) == {b"accept": b"text/html, */*, image/png", b"host": b"a"}


def test_the_fields_are_read_once_until_the_headers_change() -> None:
    scope = {"headers": [(b"host", b"a")]}

    assert fields_of(scope) is fields_of(scope)

    scope["headers"] = [(b"host", b"b")]
    del scope[FIELDS]
    assert fields_of(scope) == {b"host": b"b"}
