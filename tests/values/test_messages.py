"""How places are written in a message: escaped, and bounded."""

from __future__ import annotations

from tmf_sales.values.messages import json_pointer, list_places


def test_pointers_are_escaped_and_cut() -> None:
    assert json_pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"
    assert json_pointer(["\xe9\n\u202e"]) == "/\\xe9\\n\\u202e"
    assert json_pointer(["x" * 60]) == f"/{'x' * 60}"
    assert len(json_pointer(["x" * 500])) == 64
    assert json_pointer(["x" * 50] * 64) == ("/" + "x" * 50) * 9 + "/" + "x" * 40 + "..."


def test_twenty_places_are_listed() -> None:
    assert list_places(["/a", "/b"]) == "/a, /b"
    assert list_places(f"/{number}" for number in range(21)).endswith(", /19, and 1 more")
    assert list_places([]) == ""
