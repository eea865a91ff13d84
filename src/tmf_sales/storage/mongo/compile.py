"""Query -> MongoDB filter, sort and pipeline. Operators come from here only; a client's text is always an operand.

A resource is stored as `{_id, revision, document, ...}`, so every path starts with `document`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tmf_sales.storage.conditions import (
    And,
    Compare,
    Condition,
    Element,
    Exists,
    Operator,
    Or,
    Path,
    Regex,
    Scalar,
    Sort,
    is_reachable,
)
from tmf_sales.storage.evaluate import matches

Filter = dict[str, Any]

NOTHING: Filter = {"$nor": [{}]}
SCALAR_TYPES = ("string", "int", "long", "double", "bool")
SYMBOLS = {
    Operator.EQ: "$eq",
    Operator.GT: "$gt",
    Operator.GTE: "$gte",
    Operator.LT: "$lt",
    Operator.LTE: "$lte",
}
TRUE_OF_ANY_MEMBER: Filter = {"_": {"$nin": []}}
END_OF_TEXT = "(?![\\s\\S])"
SPECIAL = frozenset("\\^$.|?*+()[]{}")


def compile_where(condition: Condition) -> Filter:
    """The filter of live resources that satisfy `condition`.

    A deleted one that still has events to hand on has no `document`, so it can only match what an empty one matches.
    """
    compiled = _compile(condition, ("document",))
    if not matches(condition, {}):
        return compiled
    alive = {"deleted": {"$exists": False}}
    return {"$and": [alive, compiled]} if compiled else alive


def compile_sort(sort: Sequence[Sort]) -> list[tuple[str, int]] | None:
    """What find() sorts by, or None when missing values need a pipeline to come last."""
    if not all(each.always_present for each in sort):
        return None
    return [*((_field(each.path), -1 if each.descending else 1) for each in sort), ("_id", 1)]


def compile_sort_stages(sort: Sequence[Sort]) -> list[dict[str, Any]]:
    """The stages that put missing values, and what is no scalar, last in both directions."""
    keys: dict[str, Any] = {}
    order: dict[str, int] = {}
    for number, each in enumerate(sort):
        if not is_reachable(each.path):
            continue
        value = f"${_field(each.path)}"
        is_scalar = {"$in": [{"$type": value}, list(SCALAR_TYPES)]}
        keys[f"missing{number}"] = {"$cond": [is_scalar, 0, 1]}
        keys[f"key{number}"] = {"$cond": [is_scalar, value, None]}
        order[f"missing{number}"] = 1
        order[f"key{number}"] = -1 if each.descending else 1
    order["_id"] = 1
    return [{"$addFields": keys}, {"$sort": order}] if keys else [{"$sort": order}]


def _compile(condition: Condition, prefix: Path) -> Filter:
    match condition:
        case Compare(path, operator, operand):
            return _at(prefix, path, _comparison(operator, operand))
        case Regex(path, pattern):
            return _at(prefix, path, {"$regex": to_pcre(pattern)})
        case Exists(path):
            return _at(prefix, path, {"$exists": True})
        case Element(path, inner):
            return _at(prefix, path, {"$elemMatch": _criteria(inner)})
        case And(conditions):
            parts = [part for each in conditions if (part := _compile(each, prefix))]
            return {"$and": parts} if parts else {}
        case Or(conditions):
            return {"$or": [_compile(each, prefix) for each in conditions]} if conditions else NOTHING
        case _:
            return {"$nor": [_compile(condition.condition, prefix)]}


def _criteria(condition: Condition) -> Filter:
    """What an element has to satisfy; it names some member, lest it be taken for operators on the element itself."""
    compiled = _compile(condition, ())
    if all(name.startswith("$") for name in compiled):
        return {**TRUE_OF_ANY_MEMBER, **compiled}
    return compiled


def _at(prefix: Path, path: Path, test: Filter | None) -> Filter:
    return {".".join(prefix + path): test} if test is not None and is_reachable(path) else NOTHING


def _field(path: Path) -> str:
    return ".".join(("document", *path))


def _comparison(operator: Operator, operand: Scalar) -> Filter | None:
    if operator is Operator.EQ:
        return {"$eq": storable(operand)}
    if isinstance(operand, bool):
        return None
    if operator is Operator.PREFIX:
        return {"$regex": "^" + literally(operand)} if isinstance(operand, str) else None
    return {SYMBOLS[operator]: storable(operand)}


def storable(operand: Scalar) -> Scalar:
    """The operand as BSON can hold it; a stored integer has at most 64 bits, so a larger one only needs its order."""
    if isinstance(operand, int) and not isinstance(operand, bool) and not -(2**63) <= operand < 2**63:
        return float(operand)
    return operand


def literally(text: str) -> str:
    """A regular expression that matches `text` and nothing else; BSON allows no NUL in a pattern."""
    return "".join("\\x00" if letter == "\0" else f"\\{letter}" if letter in SPECIAL else letter for letter in text)


def to_pcre(pattern: str) -> str:
    """An RE2 pattern of the closed subset as PCRE reads it: there `$` would also match before a newline at the end."""
    written: list[str] = []
    class_opened_at: int | None = None
    escaped = False
    for position, letter in enumerate(pattern):
        if escaped:
            written.append(letter)
            escaped = False
        elif letter == "\\":
            written.append(letter)
            escaped = True
        elif class_opened_at is not None:
            # A bracket in a class stands for itself in RE2; Python's dialect warns of a nested set.
            written.append("\\[" if letter == "[" else letter)
            if letter == "]" and pattern[class_opened_at + 1 : position] not in ("", "^"):
                class_opened_at = None
        else:
            if letter == "[":
                class_opened_at = position
            written.append(END_OF_TEXT if letter == "$" else letter)
    return "".join(written).replace("\0", "\\x00")
