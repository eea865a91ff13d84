"""Records which calls a store makes to its server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

CALLS = ("find", "find_one", "insert_one", "update_one", "insert_many", "bulk_write")


def recorded_calls(collections: Iterable[Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that these collections get from now on, by name."""
    calls: list[str] = []
    for collection in collections:
        for name in CALLS:
            call = getattr(collection, name)

            def recorded(*arguments: Any, call: Any = call, name: str = name, **named: Any) -> Any:
                calls.append(name)
                return call(*arguments, **named)

            monkeypatch.setattr(collection, name, recorded)
    return calls
