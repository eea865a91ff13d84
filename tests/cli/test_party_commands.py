"""`tmf-sales party`: what is shown, what is written, and the exit codes."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from tmf_sales.app.context import stored_kinds
from tmf_sales.cli import main
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Change, Version

CONTRACTS = load_contracts(contracts_folder())
STORE = "sqlite:here.sqlite"
SUBSCRIPTION = {"id": "s", "callback": "http://h", "query": "event.quote.relatedParty.id=p-55", "api": "tmf648"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--store", STORE])


def on_store(work: Callable[[Storage], Any]) -> Any:
    async def open_and_work() -> Any:
        store = open_store(STORE, stored_kinds(CONTRACTS))
        await store.open()
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(open_and_work())


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of its own, with a store that holds a quote of party p-55 and a subscription that names it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tmf_sales.contract.loader.load_contracts", lambda *_: CONTRACTS)
    party = {"id": "p-55", "name": "Ada", "role": "Buyer", "@referredType": "Individual"}
    quote = {"id": "q", "version": "1", "state": "inProgress", "relatedParty": [party], "externalId": "p-55"}

    async def fill(store: Storage) -> None:
        await store.commit(Change("tmf648/quote", "q", 0, (Version(1, quote),)))
        await store.commit(Change("listener", "s", 0, (Version(1, SUBSCRIPTION),)))

    on_store(fill)


def stored_parties() -> list[dict[str, Any]]:
    record = on_store(lambda store: store.get("tmf648/quote", "q"))
    parties: list[dict[str, Any]] = record.current.document["relatedParty"]
    return parties


def test_without_confirmation_erasing_only_shows_what_it_would_do() -> None:
    result = run("party", "erase", "p-55")

    assert result.exit_code == 0
    assert result.stdout == (
        "tmf648/quote q version 1: /relatedParty/0\n"
        "would erase 1 resources, 1 versions, 0 events, 0 audit records, 0 stored responses\n"
    )
    assert result.stderr == (
        "still mentions the id: tmf648/quote q version 1: /externalId\n"
        "subscription s names the party; unregister it if nobody needs it\n"
        "nothing was changed; add --confirm to erase\n"
    )
    assert stored_parties()[0]["name"] == "Ada"


def test_a_confirmed_erasure_is_made_once() -> None:
    result = run("party", "erase", "p-55", "--confirm", "--references-only")

    assert result.exit_code == 0
    assert "erased 1 resources, 1 versions, 0 events" in result.stdout
    assert stored_parties() == [{"id": "erased", "role": "Buyer", "@referredType": "Individual"}]
    again = run("party", "erase", "p-55", "--confirm")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "Error: nothing refers to party 'p-55'" in again.stderr


@pytest.mark.parametrize("id", ["", "erased"])
def test_an_id_that_is_no_party_is_rejected(id: str) -> None:
    result = run("party", "erase", id)

    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: the id is {id!a}; expected the id of a party\n")


def test_many_places_that_mention_the_id_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tmf_sales.cli.party.PLACES_SHOWN", 0)

    assert "still mentions the id: 1 more places\n" in run("party", "erase", "p-55").stderr


def test_an_export_is_a_file_for_its_owner_alone() -> None:
    result = run("party", "export", "p-55", "ada.jsonl")

    file = Path("ada.jsonl")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "exported 2 lines\n")
    assert [orjson.loads(line)["what"] for line in file.read_text().splitlines()] == ["resource", "subscription"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = run("party", "export", "p-55", "ada.jsonl")
    assert (again.exit_code, again.stderr) == (2, "Error: ada.jsonl exists already\n")


def test_an_export_goes_to_standard_output() -> None:
    result = run("party", "export", "p-55", "-")

    assert orjson.loads(result.stdout.splitlines()[0])["versions"][0]["document"]["relatedParty"][0]["name"] == "Ada"


def test_an_export_of_nobody_leaves_no_file() -> None:
    result = run("party", "export", "p-1", "nobody.jsonl")

    assert (result.exit_code, result.stderr) == (1, "Error: nothing refers to party 'p-1'\n")
    assert list(Path().glob("nobody*")) == []
