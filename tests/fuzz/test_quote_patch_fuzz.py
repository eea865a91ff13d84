"""Whatever a patch puts anywhere in a quote: it is applied, or refused as the client's mistake."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tmf_sales.apis.quote import QuoteRules
from tmf_sales.contract.loader import Contract
from tmf_sales.engine.documents import BuiltDocument, DocumentBuilder, Patch
from tmf_sales.engine.verified import Known
from tmf_sales.errors import TmfError

ROOT = Path(__file__).parents[2]
NOW = "2026-03-04T05:06:07.890Z"


class AlwaysAsked(QuoteRules):
    """The rules of quotes, for which each patch takes the whole quote and calls each hook."""

    depends_on = None  # type: ignore[assignment]


BUILDER = DocumentBuilder(Contract(ROOT / "openapi" / "tmf648-quote-v4.yaml").resources["quote"], AlwaysAsked())
QUICK = DocumentBuilder(BUILDER.type, QuoteRules())


def sample_quote() -> dict[str, Any]:
    sample: dict[str, Any] = json.loads((ROOT / "tests" / "samples" / "tmf648-retrieve-response.json").read_text())
    sample["effectiveQuoteCompletionDate"] = NOW  # the printed one has three digits for the day
    sample["state"] = "inProgress"
    for item in sample["quoteItem"]:
        item["state"] = "inProgress"
    sample["quoteItem"][0]["quoteItem"] = copy.deepcopy(sample["quoteItem"][1:])
    sample["quoteItem"][0]["quoteItemRelationship"] = [{"id": "2", "relationshipType": "bundles"}]
    sample.pop("href")
    BUILDER.normalize_body(sample, lambda: NOW)
    return sample


def pointers(value: Any, pointer: str = "") -> Iterator[str]:
    yield pointer
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from pointers(inner, f"{pointer}/{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from pointers(inner, f"{pointer}/{number}")
        yield f"{pointer}/-"


QUOTE = sample_quote()
VERIFIED = Known(frozenset(), orjson.dumps(QUOTE))
POINTERS = sorted(set(pointers(QUOTE)) - {""})
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-1e300, 1e300)
    | st.sampled_from(["pending", "approved", "rejected", "1", "2", "", "9" * 5000, NOW, "EUR"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "state", "quantity", "quoteItem", "quoteItemPrice", "price", "value"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "replace", "remove", "copy", "move"]),
            "path": st.sampled_from(POINTERS),
            "from": st.sampled_from(POINTERS),
            "value": VALUES | st.sampled_from([QUOTE["quoteItem"][0], QUOTE["quoteItem"], QUOTE["relatedParty"]]),
        }
    ),
    min_size=1,
    max_size=3,
)


def patched(media_type: str, patch: Any) -> dict[str, Any] | None:
    """The patched quote, or None. A patch that calls only the hooks that matter comes to the same, of a part too."""
    given = Patch(patch, media_type, "http://host/7", NOW)
    outcomes = [outcome(lambda: BUILDER.patched(QUOTE, given)), outcome(lambda: QUICK.patched(QUOTE, given))]
    if part := outcome(lambda: QUICK.patched_in_part(VERIFIED, given)):
        outcomes.append(part)
    assert all(shown(each) == shown(outcomes[0]) for each in outcomes)
    match outcomes[0]:
        case BuiltDocument(document=document):
            return document
        case TmfError(status=status):
            assert status in {400, 409, 413}  # most patches are refused, and rightly
    return None


def outcome(build: Callable[[], BuiltDocument | None]) -> BuiltDocument | TmfError | None:
    try:
        return build()
    except TmfError as refusal:
        return refusal


def shown(outcome: BuiltDocument | TmfError | None) -> Any:
    if isinstance(outcome, BuiltDocument):
        return outcome.text, outcome.changed, outcome.server_set
    return type(outcome), str(outcome)


@given(OPERATIONS)
@settings(max_examples=300)
def test_any_json_patch_of_a_quote_applies_or_is_refused(operations: Any) -> None:
    stored = copy.deepcopy(QUOTE)

    after = patched("application/json-patch+json", operations)

    assert stored == QUOTE
    assert after is None or not BUILDER.type.after_patch.violations(after)


@given(st.dictionaries(st.sampled_from(sorted(QUOTE)), VALUES, max_size=3))
@settings(max_examples=300)
def test_any_merge_patch_of_a_quote_applies_or_is_refused(patch: Any) -> None:
    stored = copy.deepcopy(QUOTE)

    after = patched("application/merge-patch+json", patch)

    assert stored == QUOTE
    assert after is None or not BUILDER.type.after_patch.violations(after)


@pytest.mark.full
@pytest.mark.parametrize(
    "value", [None, True, 7, -1.5, "", "x", "9" * 5000, [], [None], [[]], {}, {"id": []}, [{"id": []}]]
)
def test_any_value_at_any_place_of_a_quote_applies_or_is_refused(value: Any) -> None:
    for pointer in POINTERS:
        op = "add" if pointer.endswith("/-") else "replace"

        after = patched("application/json-patch+json", [{"op": op, "path": pointer, "value": value}])

        assert after is None or not BUILDER.type.after_patch.violations(after), pointer
