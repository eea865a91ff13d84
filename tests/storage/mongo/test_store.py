"""The MongoDB store: what waits in documents, what goes over the wire, and a server that is away."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import IndexModel, errors
from tests.mongodb.server import MongoServer
from tests.storage.deviations import ELEMENT_WITHOUT_INDEX, NO_EXPIRY, NO_PLAN, NO_PULL, NOT_ATOMIC
from tests.storage.random_queries import make_case
from tests.storage.tickets import KINDS, delete, event, fill, index, insert, ticket, update

from tmf_sales.errors import Unavailable
from tmf_sales.storage.conditions import And, Compare, Element, Not, Operator, Or, Query, Regex, Sort, TextOperator
from tmf_sales.storage.mongo import outbox
from tmf_sales.storage.mongo.client import make_client, make_indexes, translated
from tmf_sales.storage.mongo.compile import compile_count, compile_sort, compile_where
from tmf_sales.storage.mongo.outbox import _cut
from tmf_sales.storage.mongo.patterns import literal_pattern, text_pattern, to_pcre
from tmf_sales.storage.mongo.store import MongoStorage
from tmf_sales.storage.protocol import (
    OUTBOX_ENTRIES,
    OUTBOX_LIMIT,
    AlreadyExists,
    OutboxFull,
    RecordTooLarge,
    StorageUnavailable,
    TookTooLong,
)
from tmf_sales.storage.records import Change, Kind, Record, Version

OPERATORS = {"$and", "$or", "$nor", "$eq", "$gt", "$gte", "$lt", "$lte", "$regex", "$exists", "$elemMatch", "$nin"}
OPERATORS |= {"$not", "$type"}


@asynccontextmanager
async def opened(url: str, *kinds: Kind, statement_timeout: float = 2.0) -> AsyncIterator[MongoStorage]:
    store = MongoStorage(url, kinds or KINDS, statement_timeout)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(mongo_url: str) -> AsyncIterator[MongoStorage]:
    async with opened(mongo_url) as store:
        yield store


@pytest.fixture
def left_behind(store: MongoStorage, monkeypatch: pytest.MonkeyPatch) -> MongoStorage:
    """A store that dies right after each commit, before events are moved on."""
    monkeypatch.setattr(store._outbox, "_wake", lambda *_: None)
    return store


async def raw(store: MongoStorage, id: str) -> dict[str, Any] | None:
    return await store._resources["ticket"].find_one({"_id": id})


async def logged(store: MongoStorage) -> list[str]:
    return [each.id for each in (await store.events.log(None, 0, 1000))[0]]


async def test_events_wait_in_the_document_until_a_sweep_finds_them(left_behind: MongoStorage, mongo_url: str) -> None:
    await left_behind.commit(insert("1", ticket(), event("e1"), event("e2")))
    await left_behind.commit(update("1", 1, ticket(), event("e3")))
    await left_behind.commit(insert("2", ticket(), event("f1")))
    assert await logged(left_behind) == []
    async with opened(mongo_url) as other:
        assert await other.events.sweep() == 4

        assert sorted(await logged(other)) == ["e1", "e2", "e3", "f1"]
        assert [each.id for each in await other.events.not_fanned_out(10) if each.resource == "1"] == ["e1", "e2", "e3"]
        record = await raw(other, "1")
        assert record is not None
        assert not {"outbox", "outbox_size"} & record.keys()
        assert record["revision"] == 2, "moving events does not change the revision"
        assert await other.events.sweep() == 0


@pytest.mark.parametrize(("size", "moved"), [(1, [1, 1, 1]), (1_500, [2, 1]), (1_000_000, [3])])
async def test_no_more_than_a_batch_of_what_waits_is_moved_at_once(
    left_behind: MongoStorage, monkeypatch: pytest.MonkeyPatch, size: int, moved: list[int]
) -> None:
    for id in ("1", "2", "3"):
        await left_behind.commit(insert(id, ticket(), event(f"e{id}") | {"note": "x" * 1_000}))
    monkeypatch.setattr(outbox, "BATCH_BYTES", size)
    at_once: list[int] = []
    move = left_behind._outbox._insert

    async def seen(kind: str, records: Sequence[dict[str, Any]]) -> None:
        at_once.append(len(records))
        await move(kind, records)

    monkeypatch.setattr(left_behind._outbox, "_insert", seen)

    assert await left_behind.events.sweep() == 3
    assert at_once == moved
    assert sorted(await logged(left_behind)) == ["e1", "e2", "e3"]


async def test_events_that_an_earlier_release_stored_without_their_type_are_found_by_it(store: MongoStorage) -> None:
    await store.commit(insert("1", ticket(), event("e1"), event("e2") | {"eventType": "Other"}, event("e3")))
    async with asyncio.timeout(20):
        await store.events.arrived.wait()
    await store._database["event"].update_many({"_id": {"$in": ["e1", "e2"]}}, {"$unset": {"type": ""}})

    found = await store.events.of_type("ticket", "1", event("e1")["eventType"], 10)

    assert [each.id for each in found] == ["e1", "e3"]


async def test_a_tombstone_stays_until_its_events_are_moved_and_nobody_sees_it(left_behind: MongoStorage) -> None:
    await left_behind.commit(insert("1", ticket(), event("e1")))
    await left_behind.commit(delete("1", 1, event("e2")))

    record = await raw(left_behind, "1")
    assert record is not None
    assert "document" not in record
    assert await left_behind.get("ticket", "1") is None
    for where in (Query().where, Not(Compare(("name",), Operator.EQ, "x"))):
        page = await left_behind.find("ticket", Query(where))
        assert (list(page.rows), page.total) == ([], 0)

    assert await left_behind.events.sweep() == 2
    assert await raw(left_behind, "1") is None


async def test_the_count_of_all_leaves_out_a_tombstone_and_is_the_same_before_its_index_is_there(
    left_behind: MongoStorage,
) -> None:
    for id in ("1", "2", "3"):
        await left_behind.commit(insert(id, ticket(), event(f"e{id}")))
    await left_behind.commit(delete("2", 1, event("e4")))
    assert await raw(left_behind, "2") is not None

    assert (await left_behind.find("ticket", Query(limit=0))).total == 2
    await left_behind._resources["ticket"].drop_index("deleted_1")
    assert (await left_behind.find("ticket", Query(limit=0))).total == 2


async def test_a_deletion_without_events_keeps_those_that_wait(left_behind: MongoStorage) -> None:
    await left_behind.commit(insert("1", ticket(), event("e1")))
    await left_behind.commit(delete("1", 1))

    assert await left_behind.events.sweep() == 1
    assert await logged(left_behind) == ["e1"]
    assert await raw(left_behind, "1") is None


async def test_the_id_of_a_tombstone_can_be_used_again_and_its_events_come_first(left_behind: MongoStorage) -> None:
    await left_behind.commit(insert("1", ticket(), event("e1")))
    await left_behind.commit(delete("1", 1, event("e2")))
    await left_behind.commit(insert("1", ticket(), event("e3")))

    await left_behind.events.sweep()

    assert [each.id for each in await left_behind.events.not_fanned_out(10)] == ["e1", "e2", "e3"]


async def test_the_id_of_a_tombstone_whose_events_cannot_be_moved_is_taken(
    left_behind: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def move_nothing(*_: object) -> int:
        return 0

    await left_behind.commit(insert("1", ticket(), event("e1")))
    await left_behind.commit(delete("1", 1, event("e2")))
    monkeypatch.setattr(left_behind._outbox, "move", move_nothing)

    with pytest.raises(AlreadyExists):
        await left_behind.commit(insert("1", ticket()))


async def test_moving_events_makes_room_in_an_outbox_that_is_full(left_behind: MongoStorage) -> None:
    def events(name: str, count: int) -> list[dict[str, Any]]:
        return [event(f"{name}{number}") for number in range(count)]

    await left_behind.commit(insert("1", ticket(), *events("a", OUTBOX_ENTRIES - 1)))
    await left_behind.commit(update("1", 1, ticket(), *events("b", 1)))
    assert await logged(left_behind) == []

    await left_behind.commit(update("1", 2, ticket(), *events("c", 1)))

    assert len(await logged(left_behind)) == OUTBOX_ENTRIES
    assert await left_behind.events.sweep() == 1


@pytest.mark.parametrize("events", [[event("e2")], [event("e2", text="x" * (OUTBOX_LIMIT // 2))]])
async def test_a_full_outbox_that_cannot_be_moved_refuses_the_write(
    left_behind: MongoStorage, monkeypatch: pytest.MonkeyPatch, events: list[dict[str, Any]]
) -> None:
    big = event("big", text="x" * (OUTBOX_LIMIT // 2))
    first = [big] if "text" in events[0] else [event(f"e1.{number}") for number in range(OUTBOX_ENTRIES)]
    await left_behind.commit(insert("1", ticket(), *first))

    async def move_nothing(*_: object) -> int:
        return 0

    monkeypatch.setattr(left_behind._outbox, "move", move_nothing)
    with pytest.raises(OutboxFull) as raised:
        await left_behind.commit(update("1", 1, ticket(name="no"), *events))

    assert raised.value.status == 503
    stored = await left_behind.get("ticket", "1")
    assert stored is not None
    assert stored.current.document["name"] == "printer"
    await left_behind.commit(update("1", 1, ticket(name="without events")))


@pytest.mark.parametrize("count", [OUTBOX_ENTRIES + 1, 1])
async def test_more_events_than_an_outbox_holds_are_refused(store: MongoStorage, count: int) -> None:
    text = "x" * (OUTBOX_LIMIT if count == 1 else 1)

    with pytest.raises(OutboxFull):
        await store.commit(insert("1", ticket(), *(event(str(number), text=text) for number in range(count))))

    assert await store.get("ticket", "1") is None


@pytest.mark.deviation(NO_PULL)
async def test_an_event_that_comes_while_others_are_moved_is_not_lost(
    left_behind: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await left_behind.commit(insert("1", ticket(), event("e1")))
    inserted = left_behind._outbox._insert

    async def insert_slowly(*arguments: Any) -> None:
        await inserted(*arguments)
        monkeypatch.undo()
        monkeypatch.setattr(left_behind._outbox, "_wake", lambda *_: None)
        await left_behind.commit(update("1", 1, ticket(), event("e2")))

    monkeypatch.setattr(left_behind._outbox, "_insert", insert_slowly)

    assert await left_behind.events.sweep() == 1
    record = await raw(left_behind, "1")
    assert record is not None
    assert [entry["_id"] for entry in record["outbox"]] == ["e2"]
    assert await left_behind.events.sweep() == 1
    assert sorted(await logged(left_behind)) == ["e1", "e2"]


@pytest.mark.deviation(NOT_ATOMIC)
async def test_events_that_two_processes_move_are_in_the_log_once(store: MongoStorage, mongo_url: str) -> None:
    async with opened(mongo_url) as other:
        for number in range(20):
            await store.commit(insert(str(number), ticket(), event(f"e{number}")))
            await asyncio.gather(other.events.sweep(), store.events.sweep())
        await store._outbox.close()
        await store.events.sweep()

        assert sorted(await logged(store)) == sorted(f"e{number}" for number in range(20))


async def test_a_sweep_finds_all_of_many(left_behind: MongoStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tmf_sales.storage.mongo.outbox.BATCH", 3)
    for number in range(7):
        await left_behind.commit(insert(str(number), ticket(), event(f"e{number}")))

    assert await left_behind.events.sweep() == 7


async def test_an_outbox_that_was_emptied_by_two_is_cleared_by_the_next_sweep(left_behind: MongoStorage) -> None:
    await left_behind.commit(insert("1", ticket(), event("e1")))
    await left_behind._resources["ticket"].update_one({"_id": "1"}, {"$set": {"outbox": [], "outbox_size": 0}})

    assert await left_behind.events.sweep() == 0

    record = await raw(left_behind, "1")
    assert record is not None
    assert "outbox_size" not in record


async def test_an_outbox_that_somebody_else_moved_meanwhile_is_left_alone(
    left_behind: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await left_behind.commit(insert("1", ticket(), event("e1")))
    tickets = left_behind._resources["ticket"]
    inserted = left_behind._outbox._insert

    async def insert_late(*arguments: Any) -> None:
        await inserted(*arguments)
        await tickets.update_one({"_id": "1"}, {"$set": {"outbox": [], "outbox_size": 0}})

    monkeypatch.setattr(left_behind._outbox, "_insert", insert_late)

    await left_behind.events.sweep()

    record = await raw(left_behind, "1")
    assert record is not None
    assert (record["outbox"], record["outbox_size"]) == ([], 0)


async def test_an_empty_outbox_that_got_an_entry_meanwhile_is_left_alone(left_behind: MongoStorage) -> None:
    await left_behind.commit(insert("1", ticket(), event("e1")))

    await _cut(left_behind._resources["ticket"], [{"_id": "1", "outbox": [], "outbox_size": 0}])

    assert await left_behind.events.sweep() == 1


async def test_loading_fails_when_something_else_is_wrong_than_an_id_that_is_taken(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        async def insert_many(self, *_: object, **__: object) -> None:
            raise errors.BulkWriteError({"writeErrors": [{"code": 14031, "index": 0}]})

    monkeypatch.setitem(store._resources, "ticket", Full())

    with pytest.raises(StorageUnavailable):
        await store.load("ticket", [Record("1", 1, (Version(1, ticket()),))])


async def test_a_defect_does_not_hide_events_from_the_sweep(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> int:
        raise StorageUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(store._outbox, "_insert", fail)
        await store.commit(insert("1", ticket(), event("e1")))
        assert store._outbox._task is not None
        await store._outbox._task

    assert "wait for the next sweep" in caplog.text
    assert await store.events.sweep() == 1


async def test_only_so_much_of_a_unit_is_read_as_the_answer_needs(store: MongoStorage) -> None:
    await store.commit(insert("1", ticket(colour="red", size={"amount": 1})))

    [row] = (await store.find("ticket", Query(fields=frozenset({"name", "colour"})))).rows

    assert row.version.document == {"name": "printer", "colour": "red"}


@pytest.mark.deviation(NO_PLAN)
async def test_the_indexes_of_the_contract_are_there_and_used(store: MongoStorage) -> None:
    await fill(store, {str(number): ticket(party=[{"id": str(number)}]) for number in range(5)})
    tickets = store._resources["ticket"]
    keys = [each["key"] for each in (await tickets.index_information()).values()]
    assert [("document.party.id", 1), ("_id", 1)] in keys
    assert [("document.state", 1), ("document.date", -1), ("_id", 1)] in keys
    for where in (Compare(("party", "id"), Operator.EQ, "3"), Compare(("state",), Operator.EQ, "open")):
        plan = await tickets.find(compile_where(where)).explain()
        assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"]), where


@pytest.mark.deviation(ELEMENT_WITHOUT_INDEX)
async def test_criteria_on_one_element_use_the_index_of_its_member(store: MongoStorage) -> None:
    await fill(store, {str(number): ticket(party=[{"id": str(number)}]) for number in range(5)})
    where = Element(("party",), Compare(("id",), Operator.EQ, "3"))

    plan = await store._resources["ticket"].find(compile_where(where)).explain()

    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])


@pytest.mark.deviation(NO_EXPIRY)
async def test_the_server_removes_what_has_expired(store: MongoStorage) -> None:
    indexes = await store._database["event"].index_information()

    assert indexes["expires"]["expireAfterSeconds"] == 0


async def test_an_index_on_a_name_that_is_no_path_is_left_out(mongo_url: str) -> None:
    async with opened(mongo_url, Kind("ticket", (index(("name",)), index(("a.b",))))) as store:
        await store.ping()


async def test_what_bson_cannot_hold_is_too_large(store: MongoStorage) -> None:
    with pytest.raises(RecordTooLarge):
        await store.commit(Change("ticket", "1", 0, tuple(Version(1, {"x": "\x00" * 1_000_000}) for _ in range(9))))


# Over the wire --------------------------------------------------------------------------------------------------------


@settings(derandomize=True, database=None, deadline=None, max_examples=300)
@given(st.integers(0, 2**64))
def test_only_known_operators_are_sent(seed: int) -> None:
    for query in make_case(seed, 5).queries:
        assert {name for name in names_in(compile_where(query.where)) if name.startswith("$")} <= OPERATORS | {"$expr"}


def names_in(value: Any) -> Iterator[str]:
    """Every member name in a filter, expressions apart; operands are scalars and have none."""
    if isinstance(value, dict):
        yield from value
        for name, member in value.items():
            yield from names_in(member) if name != "$expr" else ()
    elif isinstance(value, list):
        for element in value:
            yield from names_in(element)


def test_an_operand_is_never_an_operator() -> None:
    for text in ("$where", "$ne", "{}", "/x/"):
        assert compile_where(Compare(("a",), Operator.EQ, text)) == {"document.a": {"$eq": text}}
    [name, *others] = compile_where(Compare(("$where",), Operator.EQ, "1"))
    assert (name, others) == ("$expr", [])


def test_numbers_beyond_64_bits_keep_their_place() -> None:
    assert compile_where(Compare(("a",), Operator.LT, 2**70)) == {"document.a": {"$lt": float(2**70)}}
    assert compile_where(Compare(("a",), Operator.GT, -(2**63))) == {"document.a": {"$gt": -(2**63)}}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^ab$", r"^ab(?![\s\S])"),
        (r"a\$b", r"a\$b"),
        ("[$]", "[$]"),
        ("[^$]x$", r"[^$]x(?![\s\S])"),
        ("[[]", r"[\[]"),
        ("[]a]$", r"[]a](?![\s\S])"),
        ("[^]a$]", "[^]a$]"),
        (r"[\]$]", r"[\]$]"),
        ("a\0b", r"a\x00b"),
    ],
)
def test_a_pattern_means_the_same_to_another_engine(pattern: str, expected: str) -> None:
    assert to_pcre(pattern) == expected


def test_a_literal_text_has_no_special_letters() -> None:
    assert literal_pattern("a.b*\0[") == r"a\.b\*\x00\["


@pytest.mark.parametrize(
    ("operator", "pattern"),
    [
        (TextOperator.EQ, r"^[Kk\u212a]\.1(?![\s\S])"),
        (TextOperator.CONTAINS, r"[Kk\u212a]\.1"),
        (TextOperator.STARTS_WITH, r"^[Kk\u212a]\.1"),
        (TextOperator.ENDS_WITH, r"[Kk\u212a]\.1(?![\s\S])"),
    ],
)
def test_a_letter_without_regard_to_case_is_a_class(operator: TextOperator, pattern: str) -> None:
    assert text_pattern(operator, "k.1", ignore_case=True) == pattern.replace("\\u212a", "\u212a")


def test_a_plain_sort_is_used_only_where_nothing_is_missing() -> None:
    always = Sort(("date",), descending=True, always_present=True)
    assert compile_sort((always,)) == [("document.date", -1), ("_id", 1)]
    assert compile_sort((always, Sort(("name",)))) is None


def test_nothing_to_hold_needs_no_operator() -> None:
    assert compile_where(And(())) == {"document": {"$exists": True}}
    assert compile_count(And(())) == {"deleted": {"$ne": True}}
    assert compile_where(Or(())) == {"$nor": [{}]}
    assert compile_where(Element(("a",), Or(()))) == {"document.a": {"$elemMatch": {"_": {"$nin": []}, "$nor": [{}]}}}
    assert compile_where(Compare(("a",), Operator.PREFIX, 1)) == {"$nor": [{}]}


async def test_the_clients_safety_is_the_default_and_the_uri_overrides_it() -> None:
    client = make_client("mongodb://localhost/db")
    assert client.write_concern.document == {"w": "majority", "j": True}
    assert client.read_concern.level == "majority"
    assert client.options.timeout == 5
    assert client.options.pool_options.appname == "tmf-sales"
    await client.close()

    client = make_client("mongodb://localhost/db?w=2&readconcernlevel=local&TIMEOUTMS=700&appName=mine")
    assert client.write_concern.document == {"w": 2, "j": True}
    assert client.read_concern.level == "local"
    assert client.options.timeout == 0.7
    assert client.options.pool_options.appname == "mine"
    await client.close()


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (errors.DuplicateKeyError("E11000 secret"), AlreadyExists),
        (errors.DocumentTooLarge("secret"), RecordTooLarge),
        (errors.ServerSelectionTimeoutError("secret"), StorageUnavailable),
        (errors.ExecutionTimeout("secret"), TookTooLong),
        (errors.AutoReconnect("secret"), StorageUnavailable),
        (errors.NetworkTimeout("secret"), StorageUnavailable),
        (errors.NotPrimaryError("secret"), StorageUnavailable),
        (errors.WTimeoutError("secret"), StorageUnavailable),
        (errors.OperationFailure("secret"), StorageUnavailable),
    ],
)
def test_a_failure_of_the_driver_is_one_of_the_protocol(failure: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected) as raised, translated():
        raise failure

    assert "secret" not in str(raised.value)
    if isinstance(raised.value, Unavailable):
        assert "Retry-After" in raised.value.headers


# A server that is away ------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoServer]:
    with MongoServer(tmp_path / "data") as server:
        yield server
    with warnings.catch_warnings():
        # The driver leaves a socket to the garbage collector when its server goes away while it connects.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def hasty(server: MongoServer) -> str:
    return f"{server.uri}/db?serverSelectionTimeoutMS=200&timeoutMS=500&heartbeatFrequencyMS=500"


async def until_it_serves(store: MongoStorage) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                return await store.ping()
            except StorageUnavailable:
                await asyncio.sleep(0.05)


async def test_the_store_opens_without_its_server_and_recovers_when_it_comes(server: MongoServer) -> None:
    server.stop()
    async with opened(hasty(server)) as store:
        with pytest.raises(StorageUnavailable):
            await store.ping()
        with pytest.raises(StorageUnavailable):
            await store.commit(insert("1", ticket()))

        server.start()
        await until_it_serves(store)

        await store.commit(insert("1", ticket()))
        assert (await store.find("ticket", Query(Compare(("name",), Operator.EQ, "printer")))).total == 1


async def test_a_server_that_has_been_away_for_long_is_not_waited_for(
    server: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(hasty(server)) as store:
        server.stop()
        while store._client.topology_description.has_writable_server():
            with pytest.raises(StorageUnavailable):
                await store.get("ticket", "1")
        monkeypatch.setattr(store._availability, "_away_since", -1000.0)
        monkeypatch.setattr(store, "_resources", {"ticket": "nobody asks it"})

        with pytest.raises(StorageUnavailable):
            await store.get("ticket", "1")


async def test_a_server_that_hangs_costs_no_more_than_the_timeout(server: MongoServer) -> None:
    async with opened(hasty(server)) as store:
        await until_it_serves(store)
        await store.commit(insert("1", ticket()))
        server.pause()
        try:
            async with asyncio.timeout(10):
                with pytest.raises(StorageUnavailable):
                    await store.get("ticket", "1")
                with pytest.raises(StorageUnavailable):
                    await store.commit(update("1", 1, ticket(name="perhaps")))
                with pytest.raises(StorageUnavailable):
                    await store.find("ticket", Query())
        finally:
            server.resume()

        await until_it_serves(store)
        stored = await store.get("ticket", "1")
        assert stored is not None
        assert stored.revision in (1, 2)


async def test_events_left_by_a_server_that_went_away_are_found_later(server: MongoServer) -> None:
    async with opened(hasty(server)) as store:
        await until_it_serves(store)
        await store.commit(insert("1", ticket()))
        wake, store._outbox._wake = store._outbox._wake, lambda *_: None  # type: ignore[method-assign]
        await store.commit(update("1", 1, ticket(), event("e1")))
        server.kill()
        wake(("ticket", "1"), None)
        assert store._outbox._task is not None
        await store._outbox._task
        server.start()
        await until_it_serves(store)

        assert await store.events.sweep() == 1
        assert await logged(store) == ["e1"]


async def test_a_query_that_takes_too_long_is_given_up(server: MongoServer) -> None:
    async with opened(f"{server.uri}/db", statement_timeout=0.0001) as store:
        await fill(store, {str(number): ticket() for number in range(50)})

        with pytest.raises(StorageUnavailable):
            await store.find("ticket", Query(Regex(("colour",), "x")))


class Unfinished:
    """A collection of a server that has no code for some indexes."""

    name = "ticket"

    def __init__(self, code: int) -> None:
        self.made: list[str] = []
        self._code = code

    async def list_indexes(self) -> AsyncIterator[dict[str, Any]]:
        async def listed() -> AsyncIterator[dict[str, Any]]:
            yield IndexModel([("_id", 1)], name="_id_").document

        return listed()

    async def create_indexes(self, indexes: list[IndexModel]) -> None:
        for each in indexes:
            if "expireAfterSeconds" in each.document:
                raise errors.OperationFailure("no such option", self._code)
            self.made.append(each.document["name"])


async def test_an_index_that_the_server_has_no_code_for_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    indexes = [IndexModel([("a", 1)], expireAfterSeconds=0), IndexModel([("b", 1)])]
    collection = Unfinished(238)

    await make_indexes(collection, indexes)  # type: ignore[arg-type]

    assert collection.made == ["b_1"]
    assert "cannot create the index a_1 of ticket" in caplog.text
    with pytest.raises(errors.OperationFailure):
        await make_indexes(Unfinished(13), indexes)  # type: ignore[arg-type]
