"""A change that names the members in which it differs leaves the file as one that names none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.storage.tickets import KINDS, event, insert, ticket, update

from tmf_sales.storage.records import Change, Document, merged
from tmf_sales.storage.sqlite.store import SqliteStorage
from tmf_sales.values.json_values import changed_members

VALUES: dict[str, list[Any]] = {
    "name": ["printer", "paper", 7, ["a", "b"]],
    "party": [[{"id": "a"}], [{"id": "b"}, {"id": "a"}], {"id": "c"}, []],
    "state": ["open", "done"],
    "date": ["2026-01-01", None],
    "size": [{"amount": 3}, {"amount": 3.5}, {"amount": [1]}, {}],
    "text": ["x", {"a": [1]}],
}


def drawn(drawing: Random, before: Document) -> Document:
    """The document with a few other members, some of them removed."""
    after = dict(before)
    for name in drawing.sample(sorted(VALUES), drawing.randint(1, 2)):
        after[name] = drawing.choice(VALUES[name])
        if drawing.random() < 0.2:
            del after[name]
    return after


async def written(path: Path, changes: Iterable[Change]) -> dict[str, list[Any]]:
    """All rows of the resources' tables after these changes."""
    store = SqliteStorage(path, KINDS, now=lambda: 0.0)
    await store.open()
    for change in changes:
        await store.commit(change)
    await store.close()
    connection = sqlite3.connect(path)
    try:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)  # noqa: S608
            for table in ('"resource_ticket"', '"entry_ticket"', "kind", "event")
        }
    finally:
        connection.close()


@pytest.mark.parametrize("seed", range(20))
async def test_the_tables_are_the_same(tmp_path: Path, seed: int) -> None:
    drawing = Random(seed)
    changes = [insert("1", ticket())]
    for revision in range(1, 30):
        last = changes[-1].versions[0]
        change = update("1", revision, drawn(drawing, last.document), event(f"e{revision}"))
        differing = changed_members(last.document, change.versions[0].document)
        changes.append(change._replace(before=last, changed=differing | set(drawing.sample(sorted(VALUES), 1))))

    plain = await written(tmp_path / "plain.sqlite", [change._replace(changed=None) for change in changes])

    assert await written(tmp_path / "named.sqlite", changes) == plain
    grouped = [changes[0], *(merged(changes[at : at + 3]) for at in range(1, len(changes), 3))]
    assert await written(tmp_path / "grouped.sqlite", grouped) == plain


def test_a_merged_change_names_the_members_of_all_if_each_names_its_own() -> None:
    named = [
        update("1", revision, ticket())._replace(changed=frozenset({name})) for revision, name in enumerate("ab", 1)
    ]
    unnamed = update("1", 3, ticket())

    assert merged(named).changed == frozenset("ab")
    assert merged([*named, unnamed]).changed is None
