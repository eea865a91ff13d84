"""Replaces generated text in a hand-written page: the text between a pair of markers."""

from __future__ import annotations


def with_made(text: str, name: str, maker: str, made: str) -> str:
    """Return the page with new text between the markers of this name; raise ValueError when one is missing."""
    start, end = f"<!-- {name}: made by `{maker}` -->\n", f"<!-- end of {name} -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no place for {name}")
    return f"{before}{start}\n{made}\n\n{end}{after}"
