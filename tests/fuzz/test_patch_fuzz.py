"""Whatever a patch is, it applies or is refused as the client's mistake, and changes nothing of what it was given."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tmf_sales.errors import InvalidPatch, TmfError
from tmf_sales.patch.json_patch import OPERATIONS, apply_json_patch
from tmf_sales.patch.merge_patch import Keyed, apply_merge_patch

NAMES = st.sampled_from(["a", "b", "id", "list", "", "0", "~", "/", "a?b=c", "$", "[0]"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | NAMES
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=5)

STEPS = st.sampled_from(["a", "b", "id", "list", "", "0", "1", "-", "01", "~0", "~1", "~2", "a?b", "\u00e9", "%61"])
POINTERS = st.lists(STEPS, max_size=4).map(lambda steps: "".join(f"/{step}" for step in steps))
CONDITIONS = st.lists(
    st.tuples(st.lists(STEPS, min_size=1, max_size=3).map(".".join), STEPS).map("=".join), min_size=1, max_size=3
).map("&".join)
PUNCTUATION = st.sampled_from("a$@.[]()?<>!*~#_^|&,:-0%/ \\")
TOKENS = PUNCTUATION | st.sampled_from(
    ["..", "==", "!=", "<=", ">=", "&&", "||", "=~", "'x'", '"y"', "'\\ud800'", "1.5", "1e5", "1e400", "9" * 30, "true"]
)
JSONPATH_PARTS = TOKENS | st.sampled_from(
    [
        "in",
        "null",
        "/(/",
        "match(",
        "and",
        "not",
        "@.a",
        "[?(@.a",
        "[?@.id=='a']",
        "[*]",
        "[0]",
        "[?(@.list==1)]",
        ".list",
    ]
)
JSONPATHS = st.tuples(st.sampled_from(["$", "a", "list", ""]), st.lists(JSONPATH_PARTS, max_size=9).map("".join)).map(
    "".join
)
PATHS = POINTERS | st.tuples(POINTERS, CONDITIONS).map("?".join) | JSONPATHS | st.text(max_size=8)
PLAUSIBLE_OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from([*OPERATIONS, "merge"]), "path": PATHS}, optional={"value": JSON, "from": PATHS}
    ),
    max_size=5,
)

KEYS: dict[str, Keyed] = {}
KEYS |= {"list": Keyed("id", KEYS), "a": Keyed(None, KEYS)}


def is_applied_or_refused(apply: Callable[[], Any]) -> bool:
    try:
        return isinstance(apply(), dict)
    except TmfError as refusal:
        return 400 <= refusal.status < 500


@given(OBJECTS, JSON | OBJECTS)
def test_any_merge_patch_applies_or_is_refused(document: Any, patch: Any) -> None:
    inputs = copy.deepcopy((document, patch))
    assert is_applied_or_refused(lambda: apply_merge_patch(document, patch, KEYS))
    assert (document, patch) == inputs


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_applied_twice_is_applied_once(document: Any, patch: Any) -> None:
    once = apply_merge_patch(document, patch, KEYS)

    assert apply_merge_patch(once, patch, KEYS) == once


@settings(max_examples=300)
@given(OBJECTS, JSON | PLAUSIBLE_OPERATIONS)
def test_any_json_patch_applies_or_is_refused(document: Any, operations: Any) -> None:
    inputs = copy.deepcopy((document, operations))
    assert is_applied_or_refused(lambda: apply_json_patch(document, operations))
    assert (document, operations) == inputs


WORDS = st.sampled_from(["a", "b", "id", "list"])
TREES = st.recursive(
    st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


def locations(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield place
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    ):
        yield from locations(inner, (*place, step))


def as_pointer(place: tuple[str | int, ...]) -> str:
    return "".join(f"/{step}" for step in place)


def as_jsonpath(place: tuple[str | int, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in place)


def moved(document: Any, source: str, target: str) -> Any:
    try:
        return apply_json_patch(document, [{"op": "move", "from": source, "path": target}])
    except TmfError as refusal:
        return type(refusal)


@settings(max_examples=300)
@given(st.dictionaries(WORDS, TREES, min_size=1, max_size=3), st.data())
def test_a_move_is_the_same_however_its_places_are_written(document: Any, data: st.DataObject) -> None:
    source = data.draw(st.sampled_from([*locations(document)]))
    target = (*data.draw(st.sampled_from([*locations(document)])), *data.draw(st.lists(WORDS, min_size=1, max_size=2)))

    results = [
        moved(document, write_source(source), write_target(target))
        for write_source in (as_pointer, as_jsonpath)
        for write_target in (as_pointer, as_jsonpath)
    ]

    assert all(result == results[0] for result in results)
    if target[: len(source)] == source and target != source:
        assert results[0] is InvalidPatch
    elif isinstance(results[0], dict) and target != source:
        assert sum(1 for _ in locations(results[0])) <= sum(1 for _ in locations(document))
