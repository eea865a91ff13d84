"""The HTTP tests on the reference: with TEST_STACK=flask they run against stock Connexion.

Promise: what it answers otherwise is excused case by case, each with the row of docs/stock-connexion.md that tells why
and with what it answers instead; all other cases must pass, and an excused one that passes is a failure.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.http.stock_excuses import EXCUSES, Excuse

NOT_THERE = {
    "test_all_at_once.py": "words of a refusal: it tells none of what is wrong",
    "test_console.py": "no pages but Swagger UI",
    "test_security_audit.py": "no authentication",
    "test_security_credentials.py": "no authentication",
    "test_security_table.py": "no authentication",
    "test_stock_flow.py": "runs on both stacks by itself",
    "test_stock_oracle.py": "runs on both stacks by itself",
    "test_strict_mode.py": "no strict mode for bodies",
}


def expect_what_stock_connexion_promises(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if why := NOT_THERE.get(item.path.name):
            item.add_marker(pytest.mark.skip(reason=why))
        elif isinstance(item, pytest.Function) and (excuse := excuse_of(item)):
            item.add_marker(excuse.mark())


def excuse_of(item: pytest.Function) -> Excuse | None:
    case = item.callspec.params if hasattr(item, "callspec") else {}
    found = [excuse for excuse in EXCUSES if excuse.covers(item.originalname, case)]
    assert len(found) < 2, f"{item.nodeid}: {found}"
    return found[0] if found else None
