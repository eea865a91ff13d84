"""docs/reference/leniency.md lists each leniency as the contracts have it."""

from __future__ import annotations

import pytest
from scripts.leniency_table import PAGE, with_table

from tmf_sales.contract.leniency import LENIENCIES

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_says_what_the_contracts_say() -> None:
    assert with_table(TEXT) == TEXT, "run `make docs`"


@pytest.mark.parametrize("rule", LENIENCIES)
def test_every_rule_is_named_by_some_contract(rule: str) -> None:
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{rule}` |")]

    assert "nowhere" not in row


def test_a_page_without_a_place_for_the_table_is_rejected() -> None:
    with pytest.raises(ValueError, match="no place for leniencies"):
        with_table(TEXT.replace("<!-- end of leniencies -->", ""))
