"""The types of dotted paths, as the query language asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract import small_contract

from tmf_sales.contract import attribute_types
from tmf_sales.contract.attributes import Attribute, Attributes


@pytest.fixture
def attributes(tmp_path: Path) -> Attributes:
    return small_contract.contract(tmp_path).resources["order"].attributes


@pytest.mark.parametrize(
    ("path", "attribute"),
    [
        ("id", Attribute("string", always_present=True)),
        ("state", Attribute("string", enum=("open", "waiting", "done"), always_present=True)),
        ("date", Attribute("date-time")),
        ("amount", Attribute("integer")),
        ("reminders", Attribute("date-time", through_list=True)),
        ("anything", Attribute("any")),
        ("valid", Attribute("object")),
        ("valid.from", Attribute("date-time")),
        ("line", Attribute("object", through_list=True)),
        ("line.line.line.quantity", Attribute("integer", through_list=True)),
        ("line.id", Attribute("string", through_list=True)),
        ("box.line.id", Attribute("string", through_list=True)),
    ],
)
def test_a_path_has_the_type_that_the_contract_gives_it(
    attributes: Attributes, path: str, attribute: Attribute
) -> None:
    assert attributes.at(tuple(path.split("."))) == attribute
    assert attributes.at(tuple(path.split("."))) is attributes.at(tuple(path.split(".")))


@pytest.mark.parametrize("path", [(), ("colour",), ("name", "x"), ("valid", "colour"), ("anything", "x")])
def test_the_contract_says_nothing_of_other_paths(attributes: Attributes, path: tuple[str, ...]) -> None:
    assert attributes.at(path) is None


def test_what_is_remembered_has_a_bound(attributes: Attributes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_types, "REMEMBERED", 2)

    for number in range(5):
        assert attributes.at((f"unknown{number}",)) is None
    assert attributes.at(("id",)) == Attribute("string", always_present=True)
