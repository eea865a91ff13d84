"""Export and import: the form of a line, what is refused and how it is reported, and that nothing is half done."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests import printed

from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import RECORD_LIMIT
from tmf_sales.storage.records import Kind, Record, Version
from tmf_sales.transfer import moving
from tmf_sales.transfer.checking import checks
from tmf_sales.transfer.lines import BadLine, read, written
from tmf_sales.transfer.moving import Import, Tally, exported

CONTRACTS = load_contracts(Path(__file__).parents[2] / "openapi")
CHECKS = checks(CONTRACTS)
KINDS = [Kind("tmf648/quote"), Kind("tmf699/salesLead"), Kind("listener")]
WHEN = "2026-01-01T00:00:00.000Z"


def quote(id: str = "1", version: str = "1", **members: Any) -> dict[str, Any]:
    return {
        "id": id,
        "@type": "Quote",
        "quoteDate": WHEN,
        "state": "inProgress",
        "version": version,
        "quoteItem": [{"id": "1", "action": "add", "state": "inProgress", "quantity": 1}],
        **members,
    }


def lead(id: str = "1", **members: Any) -> dict[str, Any]:
    return {
        "id": id,
        "@type": "SalesLead",
        "name": "Fibre for all",
        "status": "acknowledged",
        "creationDate": WHEN,
        "statusChangeDate": WHEN,
        **members,
    }


OWNER = {"subject": "me", "roles": ["admin"], "parties": ["55"]}


def listener(id: str = "1", **members: Any) -> dict[str, Any]:
    return {"id": id, "callback": "http://in.listener.com", "query": None, "api": "tmf648", "secrets": [], **members}


def line(kind: str, *documents: dict[str, Any], revision: int = 1) -> bytes:
    versions = tuple(Version(revision, document) for document in documents)
    return written(kind, Record(str(documents[0]["id"]), revision, versions))


def change(text: bytes, edit: Callable[[dict[str, Any]], object]) -> bytes:
    value = orjson.loads(text)
    edit(value)
    return orjson.dumps(value) + b"\n"


async def opened() -> MemoryStorage:
    store = MemoryStorage(KINDS)
    await store.open()
    return store


class Run:
    """An import into a store in memory, with what it said."""

    def __init__(self, store: MemoryStorage) -> None:
        self.store = store
        self.refused: dict[int, str] = {}
        self.gone_through = 0

    async def of(self, *lines: bytes) -> Tally:
        def count(size: int) -> None:
            self.gone_through += size

        return await Import(self.store, CHECKS, self.refused.__setitem__, count).run(io.BytesIO(b"".join(lines)))


@pytest.fixture
async def run() -> Run:
    return Run(await opened())


# lines -----------------------------------------------------------------------------------------------------------


def test_a_line_is_read_back_as_it_was_written() -> None:
    record = Record("é\n", 9, (Version(7, quote("é\n", "2", x=[1.0, 2**53 - 1, None])), Version(3, quote("é\n", "1"))))

    text = written("tmf648/quote", record)
    kind, again = read(text)

    assert text.count(b"\n") == 1
    assert (kind, again.id, again.revision) == ("tmf648/quote", "é\n", 9)
    assert [(each.revision, each.text) for each in again.versions] == [
        (each.revision, each.text) for each in record.versions
    ]


def test_a_document_may_be_as_deep_in_a_line_as_in_a_body() -> None:
    deep: Any = []
    for _ in range(62):
        deep = [deep]

    assert read(line("tmf648/quote", quote(x=deep)))[0] == "tmf648/quote"
    with pytest.raises(BadLine, match="nested more than"):
        read(line("tmf648/quote", quote(x=[deep])))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"nonsense", "column 1: expected strict JSON"),
        (b'{"kind": "tmf648/quote"', "expected strict JSON"),
        (b"[]", "the line: expected an object, got a list"),
        (b"{}", "/kind: is required; /id: is required; /revision: is required; /versions: is required"),
        (b'{"kind": "tmf648/quote", "kind": "tmf648/quote"}', "the member name 'kind' is there twice"),
        (b'{"id": "\xff"}', "this is not UTF-8"),
        (
            line("tmf648/quote", quote(x=[7])).replace(b"[7]", b"[99999999999999.99]"),
            "/versions/0/document/x/0: the number 99999999999999.99 cannot be kept exactly",
        ),
        (change(line("tmf648/quote", quote()), lambda it: it.update(id="")), "/id: must have at least 1 character"),
        (
            change(line("tmf648/quote", quote()), lambda it: it.update(id="2")),
            "/versions/0/document/id: is not '2', as /id",
        ),
        (change(line("tmf648/quote", quote()), lambda it: it.update(revision=0)), "/revision: number 0 is less than 1"),
        (
            change(line("tmf648/quote", quote()), lambda it: it.update(versions=[])),
            "/versions: must have at least 1 element",
        ),
        (change(line("tmf648/quote", quote()), lambda it: it.update(more=1)), "unknown members: more"),
        (
            change(line("tmf648/quote", quote()), lambda it: it["versions"][0].update(revision=2)),
            "/versions/0/revision: 2 is more than /revision",
        ),
        (change(line("tmf648/quote", quote()), lambda it: it["versions"][0].update(document=1)), "expected an object"),
    ],
)
def test_a_line_that_has_another_form_is_refused_with_the_reason(text: bytes, reason: str) -> None:
    with pytest.raises(BadLine) as refusal:
        read(text)

    assert reason in str(refusal.value)


# the contract ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line("tmf648/quote", quote(state="sold")), "/versions/0/document: /state: expected one of inProgress"),
        (line("tmf648/quote", {"id": "1"}), "/quoteItem: is required"),
        (line("tmf648/quote", quote(quoteItem=[])), "/quoteItem: must have at least 1 element"),
        (line("tmf648/quote", quote(quoteDate="2026-01-01")), "is not a date-time"),
        (line("tmf648/quote", quote(href="http://x")), "/href: is not stored"),
        (line("tmf648/quote", quote(), quote()), "not in the order of their version, the highest first, each once"),
        (line("tmf648/quote", quote(version="1"), quote(version="2")), "not in the order of their version"),
        (line("tmf648/quote", quote(version="one")), "/versions/0/document: /version: text 'one' does not match"),
        (line("tmf648/quote", quote(version="2"), {**quote(), "state": "sold"}), "/versions/1/document: /state"),
        (line("tmf648/quote", quote(quoteItem=[{"id": "1"}, {"id": "1"}])), "/quoteItem/1"),
        (line("tmf699/salesLead", lead(), lead()), "/versions: this kind has just one"),
        (line("tmf699/salesLead", lead(status="sold")), "/status: expected one of acknowledged"),
        (line("listener", listener(callback=1)), "/versions/0/document: /callback: expected text"),
        (line("listener", listener(secrets=[{"text": "x"}])), "/secrets/0/until: is required"),
        (
            line("listener", listener(secrets=[{"text": "hunter2", "until": None}])),
            "a secret is not valid (it is not shown",
        ),
        (line("listener", listener(owner="me")), "/versions/0/document: /owner: expected an object"),
        (line("listener", listener(owner={"subject": "me", "parties": []})), "/owner/roles: is required"),
        (line("listener", listener(owner={**OWNER, "roles": ["admin", 1]})), "/owner/roles/1: expected text"),
        (line("listener", listener(), listener()), "/versions: this kind has just one"),
        (
            line("order", {"id": "1"}),
            "/kind: 'order' is not known; expected listener or tmf648/quote or tmf699/salesLead",
        ),
    ],
)
async def test_a_resource_that_the_contract_refuses_is_left_out(run: Run, text: bytes, reason: str) -> None:
    tally = await run.of(line("tmf648/quote", quote("good")), text, line("tmf699/salesLead", lead("good")))

    assert reason in run.refused[2]
    assert (tally.added, tally.refused) == (2, 1)
    assert await run.store.get("tmf648/quote", "good") is not None


async def test_what_the_contract_refuses_can_be_taken_unchecked() -> None:
    store = await opened()
    refused: dict[int, str] = {}
    known = checks(CONTRACTS, by_contract=False)
    text = line("tmf648/quote", quote(state="sold", quoteDate="2026-01-01T01:00:00+01:00"))

    await Import(store, known, refused.__setitem__, lambda _: None).run(io.BytesIO(text))

    assert refused == {}
    stored = await store.get("tmf648/quote", "1")
    assert stored is not None
    assert stored.current.document["quoteDate"] == "2026-01-01T01:00:00+01:00"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line("tmf648/quote", quote(version="one")), "/versions: version: 'one' is not a version"),
        (line("tmf648/quote", {"id": "1"}), "is not a version"),
        (line("tmf648/quote", quote(), quote()), "not in the order of their version"),
        (line("tmf699/salesLead", lead(), lead()), "this kind has just one"),
    ],
)
async def test_what_is_taken_unchecked_still_has_versions_in_order(text: bytes, reason: str) -> None:
    refused: dict[int, str] = {}
    known = checks(CONTRACTS, by_contract=False)

    await Import(await opened(), known, refused.__setitem__, lambda _: None).run(io.BytesIO(text))

    assert reason in refused[1]


async def test_a_resource_over_the_limit_is_left_out(run: Run) -> None:
    tally = await run.of(line("tmf648/quote", quote("1", colour="x" * RECORD_LIMIT)), line("tmf648/quote", quote("2")))

    assert "is too large with all its versions" in run.refused[1]
    assert (tally.added, tally.refused) == (1, 1)


async def test_date_times_are_brought_into_the_one_form_that_is_stored(run: Run) -> None:
    await run.of(line("tmf648/quote", quote(quoteDate="2026-01-01T01:00:00+01:00")))

    stored = await run.store.get("tmf648/quote", "1")
    assert stored is not None
    assert stored.current.document["quoteDate"] == WHEN
    assert stored.current.text == Version(1, quote()).text


@pytest.mark.parametrize("sample", ["tmf648-create-response", "tmf699-create-response"])
async def test_an_unknown_attribute_is_kept(run: Run, sample: str) -> None:
    document = copy.deepcopy(printed.read(sample))
    kind = "tmf648/quote" if "tmf648" in sample else "tmf699/salesLead"
    made = quote() if kind == "tmf648/quote" else lead()
    document = {**made, "colour": {"x": 1}, "note": document.get("note", [])}

    await run.of(line(kind, document))

    stored = await run.store.get(kind, "1")
    assert stored is not None, run.refused
    assert stored.current.document["colour"] == {"x": 1}


# moving ----------------------------------------------------------------------------------------------------------


async def test_what_was_exported_is_imported_the_same() -> None:
    store, other = await opened(), await opened()
    lines = [
        line("listener", listener("1")),
        line("tmf648/quote", quote("1", "2"), quote("1", "1"), revision=7),
        line("tmf648/quote", quote("2"), revision=2),
        line("tmf699/salesLead", lead("1")),
    ]
    await Run(store).of(*lines)

    kinds = ["listener", "tmf648/quote", "tmf699/salesLead"]
    texts = [text async for batch in exported(store, kinds) for text in batch]
    await Run(other).of(*texts)

    assert texts == lines
    assert [text async for batch in exported(other, kinds) for text in batch] == lines


async def test_an_export_goes_on_where_it_was_broken_off() -> None:
    store = await opened()
    await Run(store).of(*[line("tmf648/quote", quote(id)) for id in "abc"], line("tmf699/salesLead", lead("a")))

    texts = [
        text
        async for batch in exported(store, ["tmf648/quote", "tmf699/salesLead"], ("tmf648/quote", "b"))
        for text in batch
    ]

    assert texts == [line("tmf648/quote", quote("c")), line("tmf699/salesLead", lead("a"))]


async def test_an_export_reads_in_steps_and_leaves_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "RECORDS_READ", 2)
    store = await opened()
    await Run(store).of(*[line("tmf648/quote", quote(id)) for id in "abcde"])

    assert [len(batch) async for batch in exported(store, ["tmf648/quote"])] == [2, 2, 1]


async def test_importing_again_changes_nothing(run: Run) -> None:
    lines = [line("tmf648/quote", quote(id), revision=3) for id in "abc"]
    assert await run.of(*lines[:2]) == Tally(added=2)

    assert await run.of(*lines) == Tally(added=1, same=2)
    assert await run.of(*lines) == Tally(same=3)


@pytest.mark.parametrize(
    "other",
    [
        line("tmf648/quote", quote(description="other"), revision=3),
        line("tmf648/quote", quote(), revision=4),
        line("tmf648/quote", quote(version="2"), quote(), revision=3),
        change(line("tmf648/quote", quote(), revision=3), lambda it: it["versions"][0].update(revision=2)),
    ],
)
async def test_what_is_stored_differently_is_reported_and_left_alone(run: Run, other: bytes) -> None:
    await run.of(line("tmf648/quote", quote(), revision=3))

    assert await run.of(other, line("tmf648/quote", quote("2"))) == Tally(added=1, different=1)

    stored = await run.store.get("tmf648/quote", "1")
    assert stored is not None
    assert written("tmf648/quote", stored) == line("tmf648/quote", quote(), revision=3)


async def test_of_two_lines_with_one_id_the_first_counts(run: Run) -> None:
    tally = await run.of(line("tmf648/quote", quote()), line("tmf648/quote", quote(description="second")))

    assert tally == Tally(added=1, different=1)


async def test_blank_lines_and_a_missing_last_line_break_are_no_matter(run: Run) -> None:
    text = b"\n  \n" + line("tmf648/quote", quote("1")) + b"\r\n" + line("tmf648/quote", quote("2")).rstrip()

    assert await run.of(text) == Tally(added=2)
    assert run.gone_through == len(text)


async def test_a_line_without_end_is_left_out_and_the_next_one_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "LINE_LIMIT", 1000)

    tally = await run.of(b"x" * 5000 + b"\n", line("tmf648/quote", quote()), b"y" * 5000)

    assert tally == Tally(added=1, refused=2)
    assert run.refused == {1: "is longer than 1000 bytes", 3: "is longer than 1000 bytes"}


@pytest.mark.parametrize(("records", "size"), [(2, 10**9), (10**9, 1)])
async def test_many_lines_are_loaded_in_steps(
    run: Run, monkeypatch: pytest.MonkeyPatch, records: int, size: int
) -> None:
    monkeypatch.setattr(moving, "RECORDS_LOADED", records)
    monkeypatch.setattr(moving, "BYTES_LOADED", size)
    lines = [line("tmf648/quote", quote(str(number))) for number in range(5)]

    assert await run.of(*lines) == Tally(added=5)
