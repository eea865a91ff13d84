"""A path that no event of an API can have is rejected; every other one has a type."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tmf_sales.apis.hub import event_attributes
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import Contract
from tmf_sales.errors import InvalidFilter

ATTRIBUTES = event_attributes(Contract(contracts_folder() / "tmf648-quote-v4.yaml"), strict=False)


@pytest.mark.parametrize(
    "path", [("eventType", "x"), ("state",), ("event", "salesLead"), ("event", "quote", "state", "x")], ids=".".join
)
def test_a_path_that_no_event_has_is_rejected(path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidFilter):
        ATTRIBUTES.at(path)


def test_a_resource_may_have_members_that_the_contract_does_not_know() -> None:
    found = ATTRIBUTES.at(("event", "quote", "colour"))

    assert found is not None
    assert found.type == "any"


def test_a_contract_elsewhere_may_refer_to_the_shipped_common_file(tmp_path: Path) -> None:
    copy = tmp_path / "tmf648-quote-v4.yaml"
    text = (contracts_folder() / copy.name).read_text(encoding="utf-8")
    shutil.copytree(contracts_folder() / "examples", tmp_path / "examples")
    copy.write_text(text, encoding="utf-8")

    assert Contract(copy).operations.keys() == Contract(contracts_folder() / copy.name).operations.keys()
