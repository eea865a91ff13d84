"""What the HTTP tests expect of the reference stack: with TEST_STACK=flask they run against stock Connexion.

Each case in which it responds differently is excused with its row of connexion-differences.md and the status that it
returns instead. All other cases must pass, and an excused one that passes is a failure.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.reference_stack.excuses import EXCUSES, Excuse

NOT_THERE = {
    "test_all_at_once.py": "words of a refusal: it names none of the violations",
    "test_leniency.py": "leniency: it forgives nothing that its contract does not",
    "test_numbers.py": "numbers: it stores what a double changes",
    "test_security_audit.py": "no authentication",
    "test_security_credentials.py": "no authentication",
    "test_security_table.py": "no authentication",
    "test_strict_mode.py": "no strict mode for bodies",
}


def expect_known_differences(items: Iterable[pytest.Item]) -> None:
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
