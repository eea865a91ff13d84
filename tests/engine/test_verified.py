"""A patch that looks only at unverified members does what a patch that looks at all of them does."""

from __future__ import annotations

import copy
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from tests.contract import small_contract

from tmf_sales.contract.leniency import Mode
from tmf_sales.engine.documents import BuiltDocument, DocumentBuilder, Patch
from tmf_sales.engine.hooks import Rules
from tmf_sales.engine.verified import LONGEST, MOST_BYTES, OVERHEAD, Verified
from tmf_sales.errors import TmfError
from tmf_sales.storage.records import Document

NOW = "2026-01-01T00:00:00.000Z"
HREF = "http://host/order/7"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

LINE = {"id": "1", "state": "open", "quantity": 2, "line": [{"id": "1", "state": "open", "quantity": 1}]}
STORED: Document = {"id": "7", "name": "x", "state": "open", "date": NOW, "version": "1", "amount": 1, "line": [LINE]}
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


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("rules", [Rules(), BusyRules(), CopyingRules()], ids=["no rules", "rules", "sharing"])
def test_verified_members_change_no_outcome(tmp_path: Path, mode: Mode, rules: Rules) -> None:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], rules, mode)
    drawing, used = Random(7), 0
    for number in range(40):
        before, verified = DOCUMENTS[number % len(DOCUMENTS)], frozenset[str]()
        for _ in range(25):
            body = drawing.choice(PATCHES)
            plain, quick = (outcome(builder, before, body, names) for names in (frozenset[str](), verified))
            assert shown(quick) == shown(plain), (before, body, verified)
            used += bool(verified) and not isinstance(quick, TmfError)
            if isinstance(quick, BuiltDocument) and quick.document is not before:
                before, verified = quick.document, quick.verified
    assert used > 100


def test_a_patch_after_another_looks_only_at_what_it_reaches(tmp_path: Path) -> None:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], Rules())

    first = outcome(builder, STORED, {"name": "y"}, frozenset())
    assert isinstance(first, BuiltDocument)

    assert first.verified == STORED.keys() - {"name"}


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
    return BuiltDocument(before) if built.document is stored else built


def shown(outcome: BuiltDocument | TmfError) -> Any:
    if isinstance(outcome, TmfError):
        return type(outcome), str(outcome)
    return orjson.dumps(outcome.document), outcome.changed, outcome.server_set


def test_the_names_belong_to_the_exact_text() -> None:
    known = Verified()
    known.replace(b"{}", b'{"a":1}', frozenset({"a"}))

    assert known.of(b'{"a":1}') == {"a"}
    assert known.of(b'{"a":1.0}') == frozenset()

    known.replace(b'{"a":1}', b'{"a":2}', frozenset())
    assert known.of(b'{"a":1}') == known.of(b'{"a":2}') == frozenset()


def test_what_is_remembered_is_bounded() -> None:
    known = Verified()
    texts = [b"%d" % number * (LONGEST // 10) for number in range(1_000_000_000, 1_000_000_200)]
    for text in texts:
        known.replace(b"", text, frozenset({"a"}))
    known.replace(b"", b"x" * (LONGEST + 1), frozenset({"a"}))

    kept = [text for text in texts if known.of(text)]
    assert kept == texts[-len(kept) :]
    assert MOST_BYTES - LONGEST - OVERHEAD < sum(len(text) + OVERHEAD for text in kept) <= MOST_BYTES
    assert not known.of(b"x" * (LONGEST + 1))
