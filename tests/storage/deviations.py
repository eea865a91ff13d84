"""Where a server is known to do otherwise than MongoDB, each by a name.

A test that shows one says so with `@pytest.mark.deviation(name)`; it is left out for the servers that have the name
here, and for no other. MongoDB itself has no row.
"""

from __future__ import annotations

import functools
from typing import Any

import pytest
from pymongo import MongoClient

LISTS_IN_LISTS = "cannot hold a list in a list"
DOTTED_NAMES = "cannot hold a member whose name has a dot"
NO_PLAN = "explains a query without saying which index it uses"
NO_EXPIRY = "has no index by which the server removes what has expired"
NO_CONDITION = "has no $cond, which puts missing values last"
NO_LOOK_AHEAD = "has no look-ahead in patterns, which finds the very end of a text"
NO_ELEMENT = "finds nothing by $elemMatch on members of an element"
NO_PULL = "takes nothing out of a list by $pull with a condition"
NOT_ATOMIC = "lets several of many writers with one revision win"
NO_NEGATIVE_ZERO = "loses the sign of -0.0"
ELEMENT_WITHOUT_INDEX = "has no use for an index in $elemMatch"
LIST_IS_NO_ELEMENT = "takes a list in a list for no element"
NO_LIMITS = "has none of the limits of documents and indexes"
EXTREME_NUMBERS = "misplaces 5e-324 and -2**63 in an index"

DEVIATIONS = {
    "SecantusDB 0.7": {ELEMENT_WITHOUT_INDEX, LIST_IS_NO_ELEMENT, EXTREME_NUMBERS, NO_LIMITS},
    "FerretDB 1 on SQLite": {
        LISTS_IN_LISTS,
        DOTTED_NAMES,
        NO_PLAN,
        NO_EXPIRY,
        NO_CONDITION,
        NO_LOOK_AHEAD,
        NO_ELEMENT,
        NO_PULL,
        NO_NEGATIVE_ZERO,
        NOT_ATOMIC,
        ELEMENT_WITHOUT_INDEX,
        NO_LIMITS,
    },
}
SAID_BY = {"secantusVersion": "SecantusDB 0.7", "ferretdbVersion": "FerretDB 1 on SQLite"}
"""The member of a server's answer to `buildInfo` that tells it from MongoDB."""


@functools.cache
def server_of(uri: str) -> str | None:
    """The server's name in DEVIATIONS; None is MongoDB, or one that says that it is."""
    with MongoClient[dict[str, Any]](uri) as client:
        said = client.server_info()
    return next((name for member, name in SAID_BY.items() if member in said), None)


def deviations_of(uri: str) -> set[str]:
    server = server_of(uri)
    return DEVIATIONS[server] if server else set()


def skip_what_deviates(node: pytest.Item, uri: str) -> None:
    """Leave the test out when it shows what the server is known to do otherwise."""
    for mark in node.iter_markers("deviation"):
        for name in mark.args:
            if name in deviations_of(uri):
                pytest.skip(f"{server_of(uri)} {name}")
