"""Rules are found by their entry points, and what is wrong with them is one line."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints, entry_points

import pytest

from tmf_sales.apis import registry
from tmf_sales.apis.quote import QuoteRules, QuoteSettings
from tmf_sales.apis.registry import RulesNotLoaded, describable_settings, name_of_rules, registered_rules
from tmf_sales.apis.sales_lead import SalesLeadRules


def points(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    found = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
    monkeypatch.setattr(registry, "_entry_points", lambda: iter(found))
    monkeypatch.setattr(registry, "_installed", lambda: found)


def test_the_shipped_rules_are_registered_like_any_others() -> None:
    assert registered_rules() == {"tmf648.Quote": QuoteRules, "tmf699.SalesLead": SalesLeadRules}
    assert describable_settings() == {"tmf648.Quote": QuoteSettings}


def test_rules_for_one_api_come_before_rules_for_all() -> None:
    table = {"tmf648.Quote": QuoteRules, "Quote": SalesLeadRules}

    assert name_of_rules(table, "tmf648", "Quote") == "tmf648.Quote"
    assert name_of_rules(table, "tmf648-v5", "Quote") == "Quote"
    assert name_of_rules(table, "tmf648", "Other") is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no.such.module:Rules", "the rules Broken (no.such.module:Rules) cannot be loaded: ModuleNotFoundError"),
        ("tmf_sales.apis.quote:IN_PROGRESS", "are not a factory"),
    ],
)
def test_rules_that_cannot_be_loaded_are_named_and_do_not_spoil_the_help(
    monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    points(monkeypatch, Broken=value)

    with pytest.raises(RulesNotLoaded) as raised:
        registered_rules()

    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert describable_settings() == {}


def test_one_name_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("Quote", "tmf_sales.apis.quote:QuoteRules", registry.GROUP)
    monkeypatch.setattr(registry, "_entry_points", lambda: iter([point, point]))

    with pytest.raises(RulesNotLoaded, match="two packages register rules as Quote"):
        registered_rules()


def test_an_installation_without_its_entry_points_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_installed", list)

    with pytest.raises(RulesNotLoaded, match="install it again"):
        registered_rules()


def test_a_process_searches_the_packages_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[str] = []

    def search(group: str) -> EntryPoints:
        searches.append(group)
        return entry_points(group=group)

    monkeypatch.setattr(registry, "entry_points", search)
    registry._installed.cache_clear()

    assert (
        registered_rules().keys() == registered_rules().keys() == describable_settings().keys() | {"tmf699.SalesLead"}
    )
    assert searches == [registry.GROUP]
