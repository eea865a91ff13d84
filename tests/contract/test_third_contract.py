"""A third API costs one YAML file and one short module; the tests in tests/http run on it as on the two others."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from tmf_sales.contract.loader import Contract, load_contracts
from tmf_sales.contract.yaml_source import BrokenContract

ROOT = Path(__file__).parents[2]
TICKET = Path(__file__).with_name("ticket")
CONTRACT = TICKET / "tmf621-ticket-v4.yaml"
ENGINE = ("contract", "query", "patch", "engine", "events", "storage")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in (CONTRACT, ROOT / "openapi" / "tmf-common-v4.yaml"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.fixture
def ticket(folder: Path) -> Contract:
    (contract,) = load_contracts(folder)
    return contract


def test_its_module_has_less_than_sixty_lines() -> None:
    assert len((TICKET / "ticket.py").read_text().splitlines()) < 60


@pytest.mark.parametrize("room", ENGINE)
def test_the_engine_does_not_know_of_tickets(room: str) -> None:
    for path in (ROOT / "src" / "tmf_sales" / room).rglob("*.py"):
        assert not re.search("ticket", path.read_text(), re.IGNORECASE), path


def test_it_is_a_valid_contract(ticket: Contract) -> None:
    assert [*OpenAPIV30SpecValidator(ticket.document).iter_errors()] == []


def test_the_engine_reads_of_it_what_it_needs(ticket: Contract) -> None:
    resource = ticket.resources["ticket"]
    status = resource.object_type.members["status"]

    assert (ticket.name, resource.name, resource.path, resource.version_member) == ("tmf621", "Ticket", "/ticket", None)
    assert resource.fixed_members == {"id", "href"}
    assert status.lifecycle is not None
    assert status.lifecycle.initial == "open"
    assert status.lifecycle.dates_set_on_entering("resolved") == ("resolutionDate",)
    assert resource.events["create"] == "TicketCreateEvent"
    assert [index.paths for index in resource.indexes] == [
        ((("severity",), False),),
        ((("status",), False), (("reportedDate",), True)),
    ]


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("operationId: listTicket", "operationId: ''", "#/paths/~1ticket/get: has no operationId"),
        (
            "operationId: headTicket",
            "operationId: listTicket",
            "#/paths/~1ticket/head: operationId listTicket is there",
        ),
        ("x-update: Ticket_Update", "x-update: Nothing", "#/components/schemas/Ticket/x-update: names no schema"),
        (
            "components/responses/BadRequest'",
            "components/responses/Nothing'",
            "/components/responses/Nothing: is not in",
        ),
        ("openapi: 3.0.3", "openapi: [", ": is not YAML: "),
    ],
)
def test_a_broken_contract_is_refused_in_one_line(folder: Path, written: str, instead: str, said: str) -> None:
    path = folder / CONTRACT.name
    text = path.read_text()
    assert written in text
    path.write_text(text.replace(written, instead, 1))

    with pytest.raises(BrokenContract) as refused:
        load_contracts(folder)

    assert said in str(refused.value)
    assert str(refused.value).startswith(CONTRACT.name)
    assert "\n" not in str(refused.value)
