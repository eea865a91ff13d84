"""The paths of the index and of its diagrams, known without Flask, which serves them."""

from __future__ import annotations

import re

INDEX = "/"
LIFECYCLE = "/lifecycle/<api>/<schema>.svg"

_PAGE = re.compile(r"/|/lifecycle/[^/]+/[^/]+\.svg")


def has_page(path: str) -> bool:
    """Whether a page is served at this path, or it has the form of such a path."""
    return _PAGE.fullmatch(path) is not None
