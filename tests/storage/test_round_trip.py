"""A store moved from SQLite to MongoDB and back, by the commands that operators use, is the same to the last byte."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from random import Random

import orjson
import pytest
from click.testing import CliRunner
from tests.storage.deviations import DOTTED_NAMES, LISTS_IN_LISTS
from tests.storage.random_queries import Drawing

from tmf_sales.app.context import stored_kinds
from tmf_sales.cli import main
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.errors import MalformedBody
from tmf_sales.http.json_body import parse_json_body
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.records import Document, Record, Version

UNITS = 120


def run(*arguments: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output


def random_units(kind: str) -> list[Record]:
    """Units with any JSON in them, the quotes with up to three versions."""
    drawing = Drawing(Random(kind))
    records = []
    for number in range(UNITS):
        id = f"{number} é'\""
        count = 1 + number % 3 if kind == "tmf648/quote" else 1
        versions = [
            Version(4 * part + 1, {"id": id, **sent(drawing), "version": f"{count - part}"}) for part in range(count)
        ]
        records.append(Record(id, 4 * count + number, tuple(versions)))
    return records


def sent(drawing: Drawing) -> Document:
    """A document as a client may send it."""
    while True:
        document = drawing.document()
        with suppress(MalformedBody):
            parse_json_body(orjson.dumps(document))
            return document


@pytest.fixture
def filled(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/first.sqlite"

    async def fill() -> None:
        store = open_store(url, stored_kinds(load_contracts(contracts_folder())))
        await store.open()
        for kind in ("tmf648/quote", "tmf699/salesLead"):
            assert await store.load(kind, random_units(kind)) == []
        await store.close()

    asyncio.run(fill())
    return url


@pytest.mark.deviation(LISTS_IN_LISTS, DOTTED_NAMES)
def test_a_store_that_was_moved_there_and_back_is_the_same(filled: str, mongo_url: str, tmp_path: Path) -> None:
    first, second, third = (str(tmp_path / f"{number}.jsonl") for number in (1, 2, 3))

    run("export", "--store", filled, first)
    run("import", "--store", mongo_url, "--no-check", first)
    run("export", "--store", mongo_url, second)
    run("import", "--store", f"sqlite:///{tmp_path}/last.sqlite", "--no-check", second)
    run("export", "--store", f"sqlite:///{tmp_path}/last.sqlite", third)

    text = Path(first).read_bytes()
    assert text.count(b"\n") == 2 * UNITS
    assert Path(second).read_bytes() == text
    assert Path(third).read_bytes() == text
