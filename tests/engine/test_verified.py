"""A patch that looks only at unverified members does what a patch that looks at all of them does."""

from __future__ import annotations

import copy
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from tests.contract import small_contract

from tmf_sales.access import Access, Grant
from tmf_sales.contract.leniency import Mode
from tmf_sales.engine.documents import BuiltDocument, Caller, DocumentBuilder, Patch
from tmf_sales.engine.hooks import Rules, members_that_matter
from tmf_sales.engine.verified import LONGEST, MOST_BYTES, OVERHEAD, Known, Verified, joined
from tmf_sales.errors import TmfError
from tmf_sales.storage.records import Document
from tmf_sales.values.messages import Violation

NOW = "2026-01-01T00:00:00.000Z"
HREF = "http://host/order/7"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

LINE = {"id": "1", "state": "open", "quantity": 2, "line": [{"id": "1", "state": "open", "quantity": 1}]}
STORED: Document = {"id": "7", "name": "x", "state": "open", "date": NOW, "version": "1", "amount": 1, "line": [LINE]}
ALL_VERIFIED = Known(frozenset(), orjson.dumps(STORED))
DOCUMENTS: list[Document] = [
    STORED,
    {**STORED, "wanted": "2026-01-01T02:00:00+02:00", "note": [{"text": "no number"}]},
    {**STORED, "line": [LINE, LINE], "contact": {"preferred": "true"}},
    {**STORED, "amount": "many", "valid": {"from": "2027-01-01T00:00:00.000Z", "to": NOW}},
    {**STORED, "line": [{"quantity": 3}, {"id": "2"}], "anything": [1, 1.0, True]},
    {"id": "7"},
]
PATCHES: list[Any] = [
    {"name": "y"},
    {"name": "z", "amount": 2},
    {"name": None},
    {"amount": 1.0},
    {"amount": 3},
    {"amount": "x"},
    {"amount": None},
    {"anything": {"a": True}},
    {"anything": {"a": 1}},
    {"wanted": "2026-01-02T00:00:00+01:00"},
    {"wanted": "never"},
    {"valid": {"from": NOW, "to": "2025-01-01T00:00:00Z"}},
    {"valid": {"from": NOW}},
    {"state": "waiting"},
    {"state": "open"},
    {"state": "done"},
    {"line": [{"id": "1", "state": "done"}, {"quantity": 4}]},
    {"line": [{"id": "1"}, {"id": "1"}]},
    {"note": [{"text": "one"}, {"id": "1", "text": "two"}]},
    {"href": "http://elsewhere"},
    {"date": "2020-01-01T00:00:00Z"},
    {},
    [{"op": "replace", "path": "/name", "value": "w"}],
    [{"op": "add", "path": "/line/-", "value": {"quantity": 1}}],
    [{"op": "add", "path": "/line/0/line/-", "value": {}}, {"op": "copy", "from": "/name", "path": "/anything"}],
    [{"op": "move", "from": "/line/0", "path": "/anything"}],
    [{"op": "add", "path": "/contact", "value": {"preferred": "true"}}],
    [{"op": "add", "path": "/amount", "value": 5.0}],
    [{"op": "add", "path": "/amount", "value": "five"}, {"op": "test", "path": "/name", "value": "x", "from": 1}],
    [{"op": "replace", "path": "$.line[?(@.id=='1')].quantity", "value": 9}],
    [{"op": "replace", "path": "/line?id=1/quantity", "value": 8}],
    [{"op": "remove", "path": "/line"}],
    [{"op": "remove", "path": "/state"}],
    [{"op": "replace", "path": "", "value": {"id": "7", "name": "whole", "state": "open"}}],
]


class BusyRules(Rules):
    """Rules that change some documents further."""

    def on_patch(self, before: Document, after: Document, now: str) -> None:
        if after.get("amount") == 3:
            after["anything"] = now


class CopyingRules(BusyRules):
    """The same, for a patched document that shares what the patch leaves alone with the stored one."""

    changes_in_place = False


class AmountRules(Rules):
    """Rules that depend on a single member."""

    depends_on = frozenset({"amount"})

    def check_body(self, document: Document) -> list[Violation]:
        return [Violation("/amount", "expected another one")] if document.get("amount") == 2 else []

    def on_patch(self, before: Document, after: Document, now: str) -> None:
        if after.get("amount") == 3 != before.get("amount"):
            after["anything"] = now


class AlwaysAsked(AmountRules):
    """The same, but for each patch all hooks are called."""

    depends_on = None  # type: ignore[assignment]


RULES = [Rules(), BusyRules(), CopyingRules(), AmountRules()]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("rules", RULES, ids=["no rules", "rules", "sharing", "of one member"])
def test_verified_members_change_no_outcome(tmp_path: Path, mode: Mode, rules: Rules) -> None:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], rules, mode)
    asking = DocumentBuilder(builder.type, AlwaysAsked() if isinstance(rules, AmountRules) else rules, mode)
    drawing, used, parts = Random(7), 0, 0
    for number in range(40):
        before: Document = DOCUMENTS[number % len(DOCUMENTS)]
        known: Known | None = None
        for _ in range(25):
            body, names = drawing.choice(PATCHES), verified_in(before, known)
            plain, quick = outcome(asking, before, body, frozenset()), outcome(builder, before, body, names)
            part = outcome_in_part(builder, body, known) if known is not None else None
            assert shown(quick) == shown(plain), (before, body, names)
            assert part is None or shown(part) == shown(plain), (before, body, names)
            used += bool(names) and not isinstance(quick, TmfError)
            parts += isinstance(part, BuiltDocument)
            if isinstance(quick, BuiltDocument) and quick.text is not None:
                made = part if isinstance(part, BuiltDocument) else quick
                assert made.known is None or made.known.text == quick.text
                assert verified_in(quick.document, made.known) == verified_in(quick.document, quick.known)
                before, known = quick.document, made.known
    assert used > 100
    assert parts == 0 if members_that_matter(rules) is None else parts > 20


def test_a_patch_after_another_looks_only_at_what_it_reaches(tmp_path: Path) -> None:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], Rules())

    first = outcome(builder, STORED, {"name": "y"}, frozenset())
    assert isinstance(first, BuiltDocument)
    assert first.known is not None
    assert first.known.doubtful == frozenset({"name"})
    second = outcome_in_part(builder, {"note": [{"text": "z"}]}, first.known)

    assert isinstance(second, BuiltDocument)
    assert second.text == orjson.dumps({**STORED, "name": "y", "note": [{"text": "z", "id": "1"}]})
    assert second.known is not None
    assert second.changed == second.known.doubtful == frozenset({"note"})


@pytest.mark.parametrize(
    "body",
    [
        {"state": "done"},
        {"line": []},
        {"amount": 7},
        {"href": HREF},
        {"id": None},
        {"name": 5},
        {"wanted": "never"},
        [{"op": "add", "path": "/contact", "value": {"preferred": "true"}}],
        [{"op": "move", "from": "/name", "path": "/anything"}],
        [{"op": "replace", "path": "", "value": {}}],
    ],
)
def test_the_whole_document_is_needed(tmp_path: Path, body: Any) -> None:
    """By rules, lifecycles and fixed members, for results that the contract may reject, for moves and for queries."""
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], AmountRules())

    assert outcome_in_part(builder, body, ALL_VERIFIED) is None


def test_a_caller_with_limits_needs_the_whole_document(tmp_path: Path) -> None:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], Rules())
    limited = Caller(Access((Grant(changes=frozenset({"name"})),)))

    assert builder.patched_in_part(ALL_VERIFIED, Patch({"name": "y"}, MERGE, HREF, NOW, limited)) is None


def test_a_part_keeps_the_order_of_members(tmp_path: Path) -> None:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], Rules())
    body = [{"op": "remove", "path": "/name"}, {"op": "add", "path": "/name", "value": "last"}]

    built = outcome_in_part(builder, body, ALL_VERIFIED)

    assert isinstance(built, BuiltDocument)
    assert list(orjson.loads(built.text or b"")) == [*[name for name in STORED if name != "name"], "name"]


def test_rules_without_hooks_for_patches_depend_on_nothing() -> None:
    class Editing(Rules):
        def editable_members(self, state: str, final: bool) -> frozenset[str] | None:
            return None

    assert members_that_matter(Editing()) == frozenset()
    assert members_that_matter(BusyRules()) is None
    assert members_that_matter(AmountRules()) == AmountRules.depends_on


@pytest.mark.parametrize("rules", [BusyRules(), CopyingRules()])
def test_only_rules_that_copy_what_they_change_get_shared_values(tmp_path: Path, rules: Rules) -> None:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], rules)

    built = builder.patched(STORED, Patch({"name": "y"}, MERGE, HREF, NOW), frozenset(STORED))

    assert built.document == {**STORED, "name": "y"}
    assert (built.document["line"] is STORED["line"]) is not rules.changes_in_place


def test_mending_does_not_reach_the_stored_document(tmp_path: Path) -> None:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], CopyingRules(), Mode.LENIENT)
    stored = {**copy.deepcopy(STORED), "contact": {"preferred": "true"}}
    patch = Patch([{"op": "add", "path": "/amount", "value": 5.0}], JSON_PATCH, HREF, NOW)

    built = builder.patched(stored, patch, frozenset(stored))

    assert (built.document["amount"], built.document["contact"]) == (5, {"preferred": True})
    assert stored == {**STORED, "contact": {"preferred": "true"}}


@pytest.mark.parametrize("body", ["text", [5], {"op": "add"}])
@pytest.mark.parametrize("media_type", [JSON_PATCH, MERGE])
def test_a_body_that_is_no_patch_reaches_nothing_known(body: Any, media_type: str) -> None:
    patch = Patch(body, media_type, HREF, NOW)

    assert patch.reached == (frozenset({"op"}) if isinstance(body, dict) and media_type == MERGE else None)


def outcome(
    builder: DocumentBuilder, before: Document, body: Any, verified: frozenset[str]
) -> BuiltDocument | TmfError:
    stored = copy.deepcopy(before)
    media_type = JSON_PATCH if isinstance(body, list) else MERGE
    try:
        built = builder.patched(stored, Patch(copy.deepcopy(body), media_type, HREF, NOW), verified)
    except TmfError as error:
        return error
    finally:
        assert stored == before
    return BuiltDocument(before, before) if built.document is stored else built


def outcome_in_part(builder: DocumentBuilder, body: Any, known: Known) -> BuiltDocument | TmfError | None:
    media_type = JSON_PATCH if isinstance(body, list) else MERGE
    try:
        return builder.patched_in_part(known, Patch(copy.deepcopy(body), media_type, HREF, NOW))
    except TmfError as error:
        return error


def verified_in(document: Document, known: Known | None) -> frozenset[str]:
    return frozenset() if known is None else frozenset(document.keys() - known.doubtful)


def shown(outcome: BuiltDocument | TmfError) -> Any:
    if isinstance(outcome, TmfError):
        return type(outcome), str(outcome)
    return outcome.text, outcome.changed, outcome.server_set


def test_the_names_belong_to_the_exact_text_of_a_resource() -> None:
    verified = Verified()
    known = Known(frozenset({"a"}), b'{"a":1}')
    verified.replace("7", known)

    assert verified.of("7", b'{"a":1}') is known
    assert verified.of("7", b'{"a":1.0}') is None
    assert verified.of("8", b'{"a":1}') is None

    verified.replace("7", Known(frozenset(), b'{"a":2}'))
    assert verified.of("7", b'{"a":1}') is None
    assert verified.of("7", b'{"a":2}') is not None
    verified.replace("7", None)
    assert verified.of("7", b'{"a":2}') is None


@pytest.mark.parametrize("document", [STORED, {"id": '"\\', "é": [1, 1.0, None], "": {"a": {}}}, {}])
def test_the_texts_of_the_members_make_the_text_of_the_document(document: Document) -> None:
    known = Known(frozenset(), orjson.dumps(document))

    assert list(known.members) == list(document)
    assert joined(known.members) == known.text == orjson.dumps(document)


def test_what_is_remembered_is_bounded() -> None:
    verified = Verified()
    texts = {str(number): b"%d" % number * (LONGEST // 10) for number in range(1_000_000_000, 1_000_000_200)}
    for id, text in texts.items():
        verified.replace(id, Known(frozenset({"a"}), text))
    verified.replace("longer", Known(frozenset({"a"}), b"x" * (LONGEST + 1)))

    kept = [id for id, text in texts.items() if verified.of(id, text)]
    assert kept == list(texts)[-len(kept) :]
    assert MOST_BYTES - 2 * LONGEST - OVERHEAD < sum(2 * len(texts[id]) + OVERHEAD for id in kept) <= MOST_BYTES
    assert not verified.of("longer", b"x" * (LONGEST + 1))
