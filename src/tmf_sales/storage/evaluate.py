"""Evaluates conditions and sort orders in Python: the reference that every adapter must agree with.

Lists follow MongoDB's rule: a step goes into the elements of a list, one level deep; a list at the end of a path
contributes its elements.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from tmf_sales.storage.case_folding import fold_case
from tmf_sales.storage.conditions import (
    And,
    Between,
    Compare,
    Condition,
    Element,
    Exists,
    HasValue,
    Not,
    Operator,
    Or,
    Path,
    Regex,
    Scalar,
    Sort,
    Text,
    TextOperator,
)

T = TypeVar("T")
Predicate = Callable[[Any], bool]
Checkpoint = Callable[[], None]

_COMPARISONS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: operator.eq,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.PREFIX: str.startswith,
}
_TEXT_COMPARISONS: Mapping[TextOperator, Callable[[str, str], bool]] = {
    TextOperator.EQ: operator.eq,
    TextOperator.CONTAINS: operator.contains,
    TextOperator.STARTS_WITH: str.startswith,
    TextOperator.ENDS_WITH: str.endswith,
}


def matches(condition: Condition, document: Any) -> bool:
    """Return whether `document` satisfies `condition`; any JSON value may occur where an object is expected."""
    return predicate(condition)(document)


def predicate(condition: Condition, checkpoint: Checkpoint | None = None) -> Predicate:
    """Return a function that evaluates `condition` on a document: build it once for many documents.

    `checkpoint` is called before each evaluation of a document's values and may raise to stop: a document may be large.
    """
    match condition:
        case And(conditions):
            all_hold = [predicate(each, checkpoint) for each in conditions]
            return lambda document: all(holds(document) for holds in all_hold)
        case Or(conditions):
            one_holds = [predicate(each, checkpoint) for each in conditions]
            return lambda document: any(holds(document) for holds in one_holds)
        case Not(inner):
            negated = predicate(inner, checkpoint)
            return lambda document: not negated(document)
        case _:
            holds = _leaf(condition, checkpoint)
            return holds if checkpoint is None else _stoppable(holds, checkpoint)


def _stoppable(holds: Predicate, checkpoint: Checkpoint) -> Predicate:
    def checked(document: Any) -> bool:
        checkpoint()
        return holds(document)

    return checked


def _leaf(
    condition: Compare | Between | Text | Regex | Exists | HasValue | Element, checkpoint: Checkpoint | None
) -> Predicate:
    match condition:
        case Exists(path):
            return lambda document: bool(_ends(document, path))
        case HasValue(path):
            return lambda document: any(end is not None for end in _ends(document, path))
        case Element(path, inner):
            holds = predicate(inner, checkpoint)
            return lambda document: any(map(holds, _elements_at(document, path)))
        case _:
            path, satisfies = condition.path, _value_test(condition)
            return lambda document: any(map(satisfies, values_at(document, path)))


def may_match(condition: Condition, path: Path, value: Scalar) -> bool:
    """Return whether some document that has only this value at the path may satisfy the condition."""
    return _outcome(condition, path, {path[0]: value}) is not False


def _outcome(condition: Condition, path: Path, document: Any) -> bool | None:
    """Return True or False when the value decides; None when other members of the document do."""
    match condition:
        case And(conditions):
            outcomes = [_outcome(each, path, document) for each in conditions]
            return False if False in outcomes else None if None in outcomes else True
        case Or(conditions):
            outcomes = [_outcome(each, path, document) for each in conditions]
            return True if True in outcomes else None if None in outcomes else False
        case Not(inner):
            outcome = _outcome(inner, path, document)
            return None if outcome is None else not outcome
        case _:
            return matches(condition, document) if condition.path == path else None


def values_at(document: Any, path: Path) -> list[Any]:
    """Return every value that a comparison at `path` looks at; a list at its end is replaced by its elements."""
    values: list[Any] = []
    for end in _ends(document, path):
        if isinstance(end, list):
            values += end
        else:
            values.append(end)
    return values


def single_value_at(document: Any, path: Path) -> Scalar | None:
    """Return the scalar at `path` when no list is on the way, else None. Documents are sorted by it."""
    value = document
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value if isinstance(value, (str, int, float)) else None


def meets_list(document: Any, path: Path) -> bool:
    """Return whether a list is on the way of `path` or at its end, so that it may reach several values."""
    value = document
    for step in path:
        if not isinstance(value, dict):
            break
        value = value.get(step)
    return isinstance(value, list)


def in_order(rows: Iterable[T], sort: Sequence[Sort], document: Callable[[T], Any], id: Callable[[T], str]) -> list[T]:
    """Sort the rows by `sort`, then by id; numbers come before texts, texts before booleans, missing values last."""
    ordered = sorted(rows, key=id)
    for each in reversed(sort):
        keyed = [(single_value_at(document(row), each.path), row) for row in ordered]
        present = [(_rank(value), row) for value, row in keyed if value is not None]
        present.sort(key=lambda pair: pair[0], reverse=each.descending)
        ordered = [row for _, row in present] + [row for value, row in keyed if value is None]
    return ordered


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import re2  # type: ignore[import-untyped]  # takes 3 MB, and most processes never match a pattern

    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def has_match(pattern: str, text: str) -> bool:
    """Return whether `text` contains a match of the RE2 `pattern`; takes linear time in the text for any pattern."""
    return _compiled(pattern).search(text) is not None


def _ends(value: Any, path: Path) -> list[Any]:
    """Return all values at the end of `path`, which starts at an object and goes through lists one level deep."""
    if not path:
        return []
    last = path[-1]
    if len(path) == 1:  # as in most filters on the elements of a list
        return [value[last]] if isinstance(value, dict) and last in value else []
    level = [value]
    for step in path[:-1]:
        reached: list[Any] = []
        for each in level:
            if isinstance(each, dict) and step in each:
                inner = each[step]
                if isinstance(inner, list):
                    reached += inner
                else:
                    reached.append(inner)
        level = reached
    return [each[last] for each in level if isinstance(each, dict) and last in each]


def _elements_at(document: Any, path: Path) -> Iterator[Any]:
    """Yield the elements that `Element` looks at: objects, and lists, which count as objects without members."""
    for end in _ends(document, path):
        if isinstance(end, list):
            yield from (element for element in end if isinstance(element, (dict, list)))


def _value_test(condition: Compare | Between | Text | Regex) -> Predicate:
    """Return a function that evaluates the condition on one value."""
    match condition:
        case Compare(_, how, operand):
            return _comparison(how, operand)
        case Between(_, low, high):
            reaches, does_not_pass = _comparison(Operator.GTE, low), _comparison(Operator.LTE, high)
            return lambda value: reaches(value) and does_not_pass(value)
        case Text(_, how_text, wanted, ignore_case):
            return _text_comparison(how_text, wanted, ignore_case=ignore_case)
        case _:
            pattern = condition.pattern
            return lambda value: isinstance(value, str) and has_match(pattern, value)


def _text_comparison(how: TextOperator, operand: str, *, ignore_case: bool) -> Predicate:
    compare = _TEXT_COMPARISONS[how]
    if not ignore_case:
        return lambda value: isinstance(value, str) and compare(value, operand)
    folded = fold_case(operand)
    return lambda value: isinstance(value, str) and compare(fold_case(value), folded)


def _comparison(how: Operator, operand: Scalar) -> Predicate:
    """Compare only values of the same type. True is not a number in JSON, although it is one in Python."""
    if isinstance(operand, bool):
        types: tuple[type, ...] = (bool,) if how is Operator.EQ else ()
    elif isinstance(operand, str):
        types = (str,)
    else:
        types = (int, float) if how is not Operator.PREFIX else ()
    compare = _COMPARISONS[how]
    return lambda value: type(value) in types and compare(value, operand)


def _rank(value: Scalar) -> tuple[int, Scalar]:
    if isinstance(value, bool):
        return 2, value
    return (1, value) if isinstance(value, str) else (0, value)
