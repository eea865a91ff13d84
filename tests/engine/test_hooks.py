"""The hooks of a resource that has no rules beyond its contract: nothing is refused, added or changed."""

from __future__ import annotations

from tmf_sales.engine.hooks import Rules

NOW = "2026-03-04T05:06:07.890Z"


def test_without_rules_a_document_is_what_its_contract_makes_of_it() -> None:
    rules, before, after = Rules(), {"state": "open"}, {"state": "closed"}

    rules.configure(None)
    rules.on_create(after, NOW)
    rules.on_patch(before, after, NOW)
    rules.after_transition(before, after, NOW)

    assert (before, after) == ({"state": "open"}, {"state": "closed"})
    assert rules.check_body(after) == []
    assert rules.answer_instantly(after, NOW) is None
    assert rules.title_of_state_change(before, after) is None


def test_without_rules_everything_may_change_until_a_state_is_final() -> None:
    assert Rules().editable_members("open", final=False) is None
    assert Rules().editable_members("closed", final=True) == frozenset()
