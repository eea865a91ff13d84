"""What every store promises: the suite that each adapter passes (tmf_sales.storage, the Storage protocol)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.storage.deviations import DOTTED_NAMES, LISTS_IN_LISTS, NO_CONDITION, NO_ELEMENT, NO_LOOK_AHEAD, NOT_ATOMIC
from tests.storage.tickets import delete, event, fill, insert, ticket, update

from tmf_sales.storage.conditions import And, Compare, Element, Exists, Not, Operator, Or, Query, Regex, Sort
from tmf_sales.storage.memory.deadline import Deadline
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import (
    RECORD_LIMIT,
    AlreadyExists,
    RecordTooLarge,
    RevisionConflict,
    Storage,
    TookTooLong,
)
from tmf_sales.storage.records import Change, Version, merged

ODD_VALUES: dict[str, Any] = {
    "none": None,
    "yes": True,
    "one": 1,
    "half": 0.5,
    "third": 0.1 + 0.2,
    "big": 2**53 - 1,
    "huge": 2**63 - 1,
    "tiny": -(2**63),
    "text": 'Zoë "said" \\ \u0000 \n \U0001f600',
    "empty": "",
    "nothing": {},
    "none of them": [],
    "nested": [[1, [2, {"deep": None}]], {"a.b": {"c$": 1}}],
    "@type": "Ticket",
    "it's": '"',
    "a.b": 1,
    "7": "seven",
}


async def test_what_was_written_is_read_back(store: Storage) -> None:
    assert await store.commit(insert("1", ticket(note=[{"id": "a"}]))) == 1

    stored = await store.get("ticket", "1")

    assert stored is not None
    assert (stored.id, stored.revision, stored.current.revision) == ("1", 1, 1)
    assert stored.current.document == ticket(note=[{"id": "a"}])


@pytest.mark.deviation(LISTS_IN_LISTS, DOTTED_NAMES)
async def test_any_json_comes_back_as_it_was_with_its_members_in_order(store: Storage) -> None:
    await store.commit(insert("1", ODD_VALUES))

    stored = await store.get("ticket", "1")

    assert stored is not None
    assert stored.current.document == ODD_VALUES
    assert list(stored.current.document) == list(ODD_VALUES)
    assert [type(value) is bool for value in stored.current.document.values()] == [
        type(value) is bool for value in ODD_VALUES.values()
    ]
    assert stored.current.text == Version(1, ODD_VALUES).text


@pytest.mark.parametrize("id", ["x(Version=1.0)", "x:(version=1.0)", "a b", "é", "/", "'", "%", "$x", "a.b", "x" * 500])
async def test_an_id_may_be_any_text(store: Storage, id: str) -> None:
    await store.commit(insert(id, ticket()))

    assert await store.get("ticket", id) is not None
    assert [row.id for row in (await store.find("ticket", Query())).rows] == [id]


async def test_each_read_by_id_notes_how_long_it_took_but_for_those_from_memory(store: Storage) -> None:
    noted: list[float] = []
    store.note_get = noted.append
    await store.commit(insert("1", ticket()))

    await store.get("ticket", "1")
    await store.get("ticket", "2")

    assert len(noted) == (0 if isinstance(store, MemoryStorage) else 2)
    assert all(seconds >= 0 for seconds in noted)


async def test_a_change_may_bring_the_version_that_it_replaces(store: Storage) -> None:
    """Then no store need read it to know what its indexes have."""
    await store.commit(insert("1", ticket(party=[{"id": "a"}, {"id": "b"}])))
    stored = await store.get("ticket", "1")
    assert stored is not None
    change = update("1", 1, ticket(party=[{"id": "b"}, {"id": "c"}]))._replace(before=stored.current)

    assert await store.commit(change) == 2

    pages = [await store.find("ticket", Query(Compare(("party", "id"), Operator.EQ, id))) for id in "abc"]
    assert [page.total for page in pages] == [0, 1, 1]
    with pytest.raises(RevisionConflict):
        await store.commit(change)
    await store.commit(delete("1", 2))
    with pytest.raises(RevisionConflict):
        await store.commit(change)


async def test_changes_that_are_merged_are_one_write_with_a_revision_for_each(store: Storage) -> None:
    await store.commit(insert("1", ticket(party=[{"id": "a"}]), event("e1")))
    stored = await store.get("ticket", "1")
    assert stored is not None
    first = update("1", 1, ticket(party=[{"id": "b"}]), event("e2"))._replace(before=stored.current)
    second = update("1", 2, ticket(party=[{"id": "c"}]), event("e3"), event("e4"))
    third = update("1", 3, ticket(party=[{"id": "d"}]))

    assert await store.commit(merged([first, second, third])) == 4

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert (stored.revision, stored.current.revision, stored.current.document) == (4, 4, third.versions[0].document)
    pages = [await store.find("ticket", Query(Compare(("party", "id"), Operator.EQ, id))) for id in "abcd"]
    assert [page.total for page in pages] == [0, 0, 0, 1]
    assert await logged(store) == [("e1", 1), ("e2", 2), ("e3", 3), ("e4", 3)]


async def test_changes_that_are_merged_are_all_rejected_when_the_first_comes_too_late(store: Storage) -> None:
    await store.commit(insert("1", ticket()))
    changes = [update("1", revision, ticket(name="new"), event(f"e{revision}")) for revision in (1, 2)]
    await store.commit(update("1", 1, ticket(name="other")))

    with pytest.raises(RevisionConflict):
        await store.commit(merged(changes))

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert (stored.revision, stored.current.document["name"]) == (2, "other")
    assert await logged(store) == []


async def logged(store: Storage) -> list[tuple[str, int]]:
    await store.events.sweep(everything=True)
    return [(each.id, each.revision) for each in (await store.events.log(None, 0, 100))[0]]


async def test_what_was_never_written_is_not_there(store: Storage) -> None:
    assert await store.get("ticket", "1") is None


async def test_an_id_that_is_taken_cannot_be_inserted_again(store: Storage) -> None:
    await store.commit(insert("1", ticket()))

    with pytest.raises(AlreadyExists):
        await store.commit(insert("1", ticket(name="other")))

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert stored.current.document["name"] == "printer"


async def test_kinds_do_not_see_each_other(store: Storage) -> None:
    await store.commit(insert("1", ticket()))
    await store.commit(insert("1", {"name": "x"}, kind="other"))

    assert (await store.find("ticket", Query())).total == 1
    stored = await store.get("other", "1")
    assert stored is not None
    assert stored.current.document == {"name": "x"}


async def test_a_kind_that_was_not_announced_is_a_defect(store: Storage) -> None:
    with pytest.raises(KeyError):
        await store.get("nothing", "1")
    with pytest.raises(KeyError):
        await store.find("nothing", Query())
    with pytest.raises(KeyError):
        await store.commit(insert("1", ticket(), kind="nothing"))


async def test_an_update_needs_the_revision_that_is_stored(store: Storage) -> None:
    await store.commit(insert("1", ticket()))
    assert await store.commit(update("1", 1, ticket(name="second"))) == 2

    with pytest.raises(RevisionConflict):
        await store.commit(update("1", 1, ticket(name="late")))
    with pytest.raises(RevisionConflict):
        await store.commit(update("1", 3, ticket(name="early")))
    with pytest.raises(RevisionConflict):
        await store.commit(update("2", 1, ticket(name="nobody")))

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert (stored.revision, stored.current.document["name"]) == (2, "second")


@pytest.mark.deviation(NOT_ATOMIC)
async def test_of_many_writers_with_one_revision_exactly_one_wins(store: Storage) -> None:
    await store.commit(insert("1", ticket()))

    outcomes = await asyncio.gather(
        *(store.commit(update("1", 1, ticket(name=str(number)))) for number in range(20)), return_exceptions=True
    )

    assert outcomes.count(2) == 1
    assert sum(isinstance(outcome, RevisionConflict) for outcome in outcomes) == 19


async def test_of_many_inserts_of_one_id_exactly_one_wins(store: Storage) -> None:
    outcomes = await asyncio.gather(*(store.commit(insert("1", ticket())) for _ in range(20)), return_exceptions=True)

    assert outcomes.count(1) == 1
    assert sum(isinstance(outcome, AlreadyExists) for outcome in outcomes) == 19
    assert (await store.find("ticket", Query())).total == 1


async def test_a_refused_write_does_not_take_its_neighbours_along(store: Storage) -> None:
    await store.commit(insert("5", ticket()))

    outcomes = await asyncio.gather(
        *(store.commit(insert(str(number), ticket())) for number in range(10)), return_exceptions=True
    )

    assert [outcome for outcome in outcomes if outcome != 1] == [outcomes[5]]
    assert isinstance(outcomes[5], AlreadyExists)
    assert (await store.find("ticket", Query())).total == 10


async def test_versions_are_kept_together_in_their_order(store: Storage) -> None:
    versions = (Version(3, ticket(version="2")), Version(1, ticket(version="1.5")), Version(2, ticket(version="1")))
    await store.commit(insert("1", ticket(version="1")))
    await store.commit(Change("ticket", "1", 1, versions))

    stored = await store.get("ticket", "1")

    assert stored is not None
    assert [(each.revision, each.document["version"]) for each in stored.versions] == [(3, "2"), (1, "1.5"), (2, "1")]


async def test_a_version_can_go_while_the_others_stay(store: Storage) -> None:
    await store.commit(Change("ticket", "1", 0, (Version(1, ticket(version="2")), Version(1, ticket(version="1")))))
    await store.commit(Change("ticket", "1", 1, (Version(1, ticket(version="2")),)))

    stored = await store.get("ticket", "1")

    assert stored is not None
    assert [each.document["version"] for each in stored.versions] == ["2"]


async def test_only_the_current_version_is_searched(store: Storage) -> None:
    await store.commit(Change("ticket", "1", 0, (Version(1, ticket(name="new")), Version(1, ticket(name="old")))))

    assert (await store.find("ticket", Query(Compare(("name",), Operator.EQ, "new")))).total == 1
    assert (await store.find("ticket", Query(Compare(("name",), Operator.EQ, "old")))).total == 0


@pytest.mark.parametrize("events", [(), (event("e1"),)])
async def test_what_was_deleted_is_gone(store: Storage, events: tuple[dict[str, Any], ...]) -> None:
    await store.commit(insert("1", ticket()))
    await store.commit(insert("2", ticket()))

    await store.commit(delete("1", 1, *events))

    assert await store.get("ticket", "1") is None
    page = await store.find("ticket", Query())
    assert ([row.id for row in page.rows], page.total) == (["2"], 1)
    missing = Query(Not(Compare(("name",), Operator.EQ, "x")))
    assert (await store.find("ticket", missing)).total == 1


@pytest.mark.parametrize("events", [(), (event("e1"),)])
async def test_a_deleted_resource_cannot_be_written_or_deleted_again(
    store: Storage, events: tuple[dict[str, Any], ...]
) -> None:
    await store.commit(insert("1", ticket()))
    await store.commit(delete("1", 1, *events))

    for revision in (1, 2):
        with pytest.raises(RevisionConflict):
            await store.commit(update("1", revision, ticket()))
        with pytest.raises(RevisionConflict):
            await store.commit(delete("1", revision))


async def test_what_is_not_there_cannot_be_deleted(store: Storage) -> None:
    for revision in (0, 1):
        with pytest.raises(RevisionConflict):
            await store.commit(delete("1", revision, event("e1")))


async def test_deleting_needs_the_revision_that_is_stored(store: Storage) -> None:
    await store.commit(insert("1", ticket()))
    await store.commit(update("1", 1, ticket()))

    with pytest.raises(RevisionConflict):
        await store.commit(delete("1", 1))

    assert await store.get("ticket", "1") is not None


@pytest.mark.parametrize("events", [(), (event("e1"),)])
async def test_the_id_of_a_deleted_resource_can_be_used_again(
    store: Storage, events: tuple[dict[str, Any], ...]
) -> None:
    await store.commit(insert("1", ticket()))
    await store.commit(delete("1", 1, *events))

    assert await store.commit(insert("1", ticket(name="again"))) == 1

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert stored.current.document["name"] == "again"
    assert (await store.find("ticket", Query())).total == 1


async def test_a_unit_over_the_limit_is_refused(store: Storage) -> None:
    half = {"name": "x" * (RECORD_LIMIT // 2)}
    await store.commit(insert("1", half))

    with pytest.raises(RecordTooLarge):
        await store.commit(Change("ticket", "1", 1, (Version(2, half), Version(1, half))))

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert stored.revision == 1


async def test_a_page_is_ordered_by_id_when_nothing_else_is_said(store: Storage) -> None:
    await fill(store, {id: ticket() for id in ("b", "a", "É", "Z", "10", "9")})

    page = await store.find("ticket", Query())

    assert [row.id for row in page.rows] == ["10", "9", "Z", "a", "b", "É"]


async def test_pages_follow_each_other_without_gap_or_overlap(store: Storage) -> None:
    await fill(store, {f"{number:02d}": ticket(size={"amount": number % 3}) for number in range(25)})
    by_size = (Sort(("size", "amount"), descending=True, always_present=True),)

    pages = [await store.find("ticket", Query(sort=by_size, offset=offset, limit=10)) for offset in (0, 10, 20, 30)]

    assert [len(page.rows) for page in pages] == [10, 10, 5, 0]
    assert {page.total for page in pages} == {25}
    expected = sorted((f"{number:02d}" for number in range(25)), key=lambda key: (-(int(key) % 3), key))
    assert [row.id for page in pages for row in page.rows] == expected


async def test_limit_zero_gives_the_count_alone(store: Storage) -> None:
    await fill(store, {"1": ticket(), "2": ticket(), "3": ticket(state="closed")})

    for where, total in ((Query().where, 3), (Compare(("state",), Operator.EQ, "open"), 2)):
        page = await store.find("ticket", Query(where, limit=0))
        assert (list(page.rows), page.total) == ([], total)


async def test_counting_stops_at_the_bound(store: Storage) -> None:
    await fill(store, {str(number): ticket(colour="red") for number in range(6)})
    red = Compare(("colour",), Operator.EQ, "red")

    for where in (Query().where, red, Compare(("name",), Operator.EQ, "printer")):
        bounded = await store.find("ticket", Query(where, limit=2, count_limit=5))
        assert (len(bounded.rows), bounded.total, bounded.exact) == (2, 5, False)
        enough = await store.find("ticket", Query(where, limit=2, count_limit=6))
        assert (enough.total, enough.exact) == (6, True)


@pytest.mark.parametrize("path", [("size", "amount"), ("colour",)])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.deviation(NO_CONDITION)
async def test_missing_values_come_last_in_both_directions(
    store: Storage, path: tuple[str, ...], descending: bool
) -> None:
    def holding(value: Any) -> dict[str, Any]:
        for step in reversed(path):
            value = {step: value}
        return dict(value)

    await fill(
        store,
        {
            "1": holding("b"),
            "2": holding(None),
            "3": holding(2),
            "4": {},
            "5": holding(True),
            "6": holding([3]),
            "7": holding("a"),
            "8": holding({"x": 1}),
            "9": holding(10.5),
        },
    )

    page = await store.find("ticket", Query(sort=(Sort(path, descending),)))

    present = ["3", "9", "7", "1", "5"]
    assert [row.id for row in page.rows] == [*(reversed(present) if descending else present), "2", "4", "6", "8"]


@pytest.mark.deviation(DOTTED_NAMES)
async def test_the_members_that_the_answer_needs_are_there(store: Storage) -> None:
    await store.commit(insert("1", {"b": 1, "a.b": 2, "c": 3}))

    for fields in (frozenset({"b"}), frozenset({"a.b", "c"}), frozenset[str]()):
        [row] = (await store.find("ticket", Query(fields=fields))).rows
        assert fields <= set(row.version.document)


@pytest.mark.deviation(NO_ELEMENT)
async def test_two_criteria_on_one_element_are_not_two_on_two_elements(store: Storage) -> None:
    buyer, seller = {"id": "1", "role": "buyer"}, {"id": "2", "role": "seller"}
    await fill(store, {"1": ticket(party=[buyer, seller])})

    def where(id: str, role: str) -> And:
        return And((Compare(("id",), Operator.EQ, id), Compare(("role",), Operator.EQ, role)))

    assert (await store.find("ticket", Query(Element(("party",), where("1", "buyer"))))).total == 1
    assert (await store.find("ticket", Query(Element(("party",), where("1", "seller"))))).total == 0
    apart = And((Compare(("party", "id"), Operator.EQ, "1"), Compare(("party", "role"), Operator.EQ, "seller")))
    assert (await store.find("ticket", Query(apart))).total == 1


@pytest.mark.deviation(DOTTED_NAMES)
async def test_a_dot_in_a_members_name_is_not_a_path(store: Storage) -> None:
    await fill(store, {"1": {"a.b": "x"}, "2": {"a": {"b": "x"}}, "3": {"0": ["x"]}, "4": {"": "x", "a": ["x"]}})

    for path, found in (
        (("a", "b"), ["2"]),
        (("a.b",), ["1"]),
        (("0",), ["3"]),
        (("",), ["4"]),
        (("a", "0"), []),
        (("$where",), []),
        (("$document",), []),
    ):
        page = await store.find("ticket", Query(Compare(path, Operator.EQ, "x")))
        assert [row.id for row in page.rows] == found
        assert (await store.find("ticket", Query(Exists(path)))).total == len(found)


@pytest.mark.deviation(NO_LOOK_AHEAD)
async def test_a_dollar_in_a_pattern_is_the_very_end(store: Storage) -> None:
    await fill(store, {"1": {"name": "ab"}, "2": {"name": "ab\n"}, "3": {"name": "abc$"}})

    for pattern, found in (("b$", ["1"]), ("^ab$", ["1"]), ("[$]", ["3"]), ("c\\$", ["3"]), ("b[^x]", ["2", "3"])):
        page = await store.find("ticket", Query(Regex(("name",), pattern)))
        assert [row.id for row in page.rows] == found, pattern


async def test_nothing_to_hold_is_true_and_no_choice_is_false(store: Storage) -> None:
    await fill(store, {"1": ticket()})

    assert (await store.find("ticket", Query(And(())))).total == 1
    assert (await store.find("ticket", Query(Or(())))).total == 0
    assert (await store.find("ticket", Query(Not(Or(()))))).total == 1


async def test_a_list_where_the_contract_has_none_is_found_all_the_same(store: Storage) -> None:
    await fill(store, {"1": ticket(name=["x", "y"]), "2": ticket(name="x"), "3": ticket(size=[{"amount": 1}])})

    assert (await store.find("ticket", Query(Compare(("name",), Operator.EQ, "x")))).total == 2
    assert (await store.find("ticket", Query(Compare(("size", "amount"), Operator.LT, 5)))).total == 1
    await store.commit(delete("1", 1))
    await store.commit(update("3", 1, ticket()))
    assert (await store.find("ticket", Query(Compare(("name",), Operator.EQ, "x")))).total == 1


async def test_an_index_follows_every_change(store: Storage) -> None:
    with_party = Query(Compare(("party", "id"), Operator.EQ, "p"))
    await store.commit(insert("1", ticket(party=[{"id": "p"}, {"id": "p"}, {"id": "q"}])))
    assert (await store.find("ticket", with_party)).total == 1
    await store.commit(update("1", 1, ticket(party=[{"id": "q"}])))
    assert (await store.find("ticket", with_party)).total == 0
    await store.commit(update("1", 2, ticket(party=[{"id": "p"}])))
    assert (await store.find("ticket", with_party)).total == 1
    await store.commit(delete("1", 3))
    assert (await store.find("ticket", with_party)).total == 0


def test_a_version_needs_its_document_or_its_text() -> None:
    assert Version(1, text=b'{"a":1}').document == {"a": 1}
    with pytest.raises(ValueError, match="needs its document or its text"):
        Version(1)
    assert not hasattr(Version(1, {}), "state")


async def test_a_store_that_is_there_answers_a_ping(store: Storage) -> None:
    await store.ping()


def test_a_query_in_memory_ends_at_its_time_limit() -> None:
    with pytest.raises(TookTooLong, match="more than 0 s"):
        Deadline(0).reject_when_late()


LARGE = {"text": "x" * 1000}


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(Exists(("number",))),
        Query(sort=(Sort(("number",), descending=True),)),
        Query(Compare(("number",), Operator.GTE, 0), (Sort(("missing",)),), offset=1),
        Query(limit=3),
    ],
)
async def test_a_page_ends_before_the_row_that_exceeds_its_size(store: Storage, query: Query) -> None:
    for number in range(6):
        await store.commit(insert(str(number), {"number": number, **LARGE}))
    whole = await store.find("ticket", query)

    cut = await store.find("ticket", replace(query, size_limit=2500))

    assert (cut.is_cut, len(cut.rows)) == (True, 2)
    assert [row.id for row in cut.rows] == [row.id for row in whole.rows[:2]]
    assert (cut.total, cut.exact) == (6, True)
    assert not whole.is_cut
    assert not (await store.find("ticket", replace(query, size_limit=10_000))).is_cut


async def test_a_page_has_at_least_one_row_whatever_its_size(store: Storage) -> None:
    for number in range(3):
        await store.commit(insert(str(number), LARGE))

    page = await store.find("ticket", Query(size_limit=1, count_limit=2))

    assert ([row.id for row in page.rows], page.is_cut) == (["0"], True)
    assert (page.total, page.exact) == (2, False)
    last = await store.find("ticket", Query(size_limit=1, offset=2))
    assert ([row.id for row in last.rows], last.is_cut, last.total) == (["2"], False, 3)
    assert not (await store.find("ticket", Query(size_limit=1, limit=0))).is_cut


async def test_an_indexed_filter_sees_every_write_since_the_last_search(store: Storage) -> None:
    async def open_ones() -> list[str]:
        page = await store.find("ticket", Query(Compare(("state",), Operator.EQ, "open")))
        return [row.id for row in page.rows]

    for id in ("a", "b", "c"):
        await store.commit(insert(id, ticket()))
    assert await open_ones() == ["a", "b", "c"]

    await store.commit(update("a", 1, ticket(state="closed")))
    await store.commit(delete("b", 1))
    assert await open_ones() == ["c"]

    await store.commit(update("a", 2, ticket()))
    await store.commit(delete("c", 1))
    assert await open_ones() == ["a"]


async def test_an_indexed_filter_does_not_take_true_for_one(store: Storage) -> None:
    for id, state in (("flag", True), ("number", 1), ("fraction", 1.0)):
        await store.commit(insert(id, {"state": state}))

    found = await store.find("ticket", Query(Compare(("state",), Operator.EQ, 1)))

    assert [row.id for row in found.rows] == ["fraction", "number"]
