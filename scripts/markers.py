"""Text that is made by a program, in a page that people write: it stands between a pair of markers."""

from __future__ import annotations


def with_made(text: str, name: str, maker: str, made: str) -> str:
    """The page with what stands between the markers of this name made anew; raises ValueError when one is missing."""
    start, end = f"<!-- {name}: made by `{maker}` -->\n", f"<!-- end of {name} -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no place for {name}")
    return f"{before}{start}\n{made}\n\n{end}{after}"
