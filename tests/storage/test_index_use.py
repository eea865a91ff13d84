"""Each index of the contracts serves the queries that it is there for, and comes back when it is missing."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pymongo import MongoClient
from tests.storage.deviations import NO_PLAN

from tmf_sales.cli import main
from tmf_sales.contract.loader import load_contracts
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.query.query import parse_query
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.mongo.compile import compile_count, compile_sort, compile_where
from tmf_sales.storage.records import Index
from tmf_sales.storage.sqlite.store import SqliteStorage

CONTRACTS = load_contracts(Path(__file__).parents[2] / "openapi")
TYPES = {type.kind: type for contract in CONTRACTS for type in contract.resources.values()}
KINDS = [type.stored_kind() for type in TYPES.values()]
MOMENT = "2026-01-31T12:00:00Z"


def served(type: ResourceType, index: Index) -> str:
    """The query that an index is there for: equality on its first path, order by its second."""
    first, *further = [".".join(path) for path, _ in index.paths]
    attribute = type.attributes.at(index.paths[0][0])
    value = MOMENT if attribute and attribute.type == "date-time" else "x"
    value = attribute.enum[0] if attribute and attribute.enum else value
    order = "".join(f"&sort={'-' if down else ''}{'.'.join(path)}" for path, down in index.paths[1:])
    assert len(further) <= 1
    return f"{first}={value}{order}"


INDEXED = [(type, served(type, index)) for type in TYPES.values() for index in type.indexes]


def read(type: ResourceType, raw: str) -> Query:
    return parse_query(raw, type.attributes, strict=False).query


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    store = SqliteStorage(tmp_path / "store.sqlite", KINDS)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def database(mongo_url: str) -> AsyncIterator[Any]:
    """The MongoDB database that a store has prepared, by a client of the test's own."""
    store = open_store(mongo_url, KINDS)
    await store.open()
    await store.close()
    with MongoClient[dict[str, Any]](mongo_url) as client:
        yield client.get_default_database()


@pytest.mark.parametrize(("type", "raw"), INDEXED, ids=[raw for _, raw in INDEXED])
async def test_sqlite_finds_a_page_by_the_index_alone(sqlite: SqliteStorage, type: ResourceType, raw: str) -> None:
    steps = await sqlite.explain(type.kind, read(type, raw))

    assert steps[0].startswith(
        ("SEARCH r USING COVERING INDEX index_", "SEARCH e USING PRIMARY KEY (path=? AND value=?)")
    )
    assert all(step.startswith("SEARCH ") for step in steps), "rows are scanned or sorted"


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("tmf648/quote", "quoteDate.gt=2026-01-01&sort=quoteDate"),
        ("tmf648/quote", "state=approved&quoteDate.gte=2026-01&sort=-quoteDate"),
        ("tmf648/quote", "category=a,b"),
        ("tmf648/quote", "relatedParty.id=a,b"),
        ("tmf648/quote", "relatedParty.id=a&state=approved&sort=-quoteDate"),
        ("tmf648/quote", "filter=relatedParty[?(@.id=='a'%26%26@.role=='b')]"),
        ("tmf699/salesLead", "status=inProgress,pending"),
        ("tmf699/salesLead", "creationDate=2026-01-31"),
    ],
)
async def test_sqlite_reads_no_more_than_what_an_index_leads_to(sqlite: SqliteStorage, kind: str, raw: str) -> None:
    steps = await sqlite.explain(kind, read(TYPES[kind], raw))

    assert not [step for step in steps if step.startswith("SCAN")], steps


@pytest.mark.parametrize("kind", TYPES)
async def test_sqlite_walks_the_first_page_in_order(sqlite: SqliteStorage, kind: str) -> None:
    [step] = await sqlite.explain(kind, Query(limit=20))

    assert "USING COVERING INDEX" in step


@pytest.mark.parametrize(("type", "raw"), INDEXED, ids=[raw for _, raw in INDEXED])
@pytest.mark.deviation(NO_PLAN)
def test_mongodb_finds_a_page_by_the_index(database: Any, type: ResourceType, raw: str) -> None:
    query = read(type, raw)

    cursor = database[f"resource_{type.kind}"].find(compile_where(query.where), sort=compile_sort(query.sort))
    plan = cursor.limit(20).explain()["queryPlanner"]["winningPlan"]

    [used] = [stage for stage in stages(plan) if stage["stage"] == "IXSCAN"]
    first = f"document.{raw.partition('=')[0]}"
    assert next(iter(used["keyPattern"])) == first
    assert not [stage for stage in stages(plan) if stage["stage"] == "COLLSCAN"]


@pytest.mark.parametrize("type", TYPES.values(), ids=list(TYPES))
@pytest.mark.parametrize("raw", ["limit=20", "limit=20&offset=40"])
@pytest.mark.deviation(NO_PLAN)
def test_mongodb_walks_the_default_page_in_order(database: Any, type: ResourceType, raw: str) -> None:
    query = read(type, raw)

    cursor = database[f"resource_{type.kind}"].find(compile_where(query.where), sort=compile_sort(query.sort))
    plan = cursor.skip(query.offset).limit(query.limit).explain()["queryPlanner"]["winningPlan"]

    assert "IXSCAN" in [stage["stage"] for stage in stages(plan)]
    assert not {"COLLSCAN", "SORT"} & {stage["stage"] for stage in stages(plan)}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.deviation(NO_PLAN)
def test_mongodb_counts_all_resources_without_reading_them(database: Any, kind: str) -> None:
    pipeline = [{"$match": compile_count(Query().where)}, {"$group": {"_id": 1, "n": {"$sum": 1}}}]
    counting = {"aggregate": f"resource_{kind}", "pipeline": pipeline, "cursor": {}}

    explained = database.command("explain", counting, verbosity="queryPlanner")

    found = explained.get("stages", [{}])[0].get("$cursor", explained)
    used = [stage["stage"] for stage in stages(found["queryPlanner"]["winningPlan"])]
    assert "IXSCAN" in used
    assert not {"COLLSCAN", "FETCH"} & set(used)


def stages(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's stages, those of a server that compiles plans to slots included."""
    plan = plan.get("queryPlan", plan)
    yield plan
    for inner in (*plan.get("inputStages", ()), *([plan["inputStage"]] if "inputStage" in plan else [])):
        yield from stages(inner)


def check(url: str) -> Result:
    return CliRunner().invoke(main, ["check", "--store", url])


def test_check_makes_an_index_that_is_missing_in_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    (tmp_path / "store.sqlite").touch()  # an empty file is an empty store
    check(url)
    whole = sqlite_indexes(tmp_path)
    assert len(whole) >= 10
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        for name in sorted(whole)[:3]:
            connection.execute(f'DROP INDEX "{name}"')
    connection.close()

    assert check(url).exit_code == 0

    assert sqlite_indexes(tmp_path) == whole


def sqlite_indexes(folder: Path) -> set[str]:
    connection = sqlite3.connect(folder / "store.sqlite")
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'index%'").fetchall()
    connection.close()
    return {name for (name,) in rows}


def test_check_makes_an_index_that_is_missing_in_mongodb(database: Any, mongo_url: str) -> None:
    collection = database["resource_tmf648/quote"]
    whole = set(collection.index_information())
    collection.drop_index("document.category_1__id_1")
    assert set(collection.index_information()) < whole

    assert check(mongo_url).exit_code == 0

    assert set(collection.index_information()) == whole
