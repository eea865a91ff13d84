"""Compiles queries into MongoDB's filters, sort orders and pipelines. A client's text is always a value, never syntax.

A resource is stored as `{_id, revision, document, ...}`, so every path starts with `document`. Member names that a
filter cannot express use the aggregation language (see expressions).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    is_plain,
)
from tmf_sales.storage.evaluate import matches
from tmf_sales.storage.mongo import expressions
from tmf_sales.storage.mongo.expressions import storable
from tmf_sales.storage.mongo.patterns import prefix_pattern, text_pattern, to_pcre

Filter = dict[str, Any]

ALIVE: Filter = {"document": {"$exists": True}}
"""All resources. No index has this member, so the server takes the index that fits the rest of a query."""
NOT_DELETED: Filter = {"deleted": {"$ne": True}}
"""The same as ALIVE, but the server counts these by an index, without reading them."""
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
VALUE_TYPES = (*SCALAR_TYPES, "object", "array")
ROOT = ("document",)


def compile_where(condition: Condition) -> Filter:
    """Return the filter for live resources that satisfy `condition`.

    A deleted resource whose events still wait has no `document`, so it can only match what an empty document matches.
    """
    compiled = _compile(condition, ROOT)
    if not matches(condition, {}):
        return compiled
    return {"$and": [ALIVE, compiled]} if compiled else ALIVE


def compile_count(condition: Condition) -> Filter:
    """Return the filter that counts the live resources that satisfy `condition`."""
    where = compile_where(condition)
    return NOT_DELETED if where == ALIVE else where


def compile_sort(sort: Sequence[Sort]) -> list[tuple[str, int]] | None:
    """Return the sort order for find(), or None when missing values need a pipeline to come last."""
    if not all(each.always_present for each in sort):
        return None
    return [*((_field(each.path), -1 if each.descending else 1) for each in sort), ("_id", 1)]


def compile_sort_stages(sort: Sequence[Sort]) -> list[dict[str, Any]]:
    """Return the stages that sort missing values, and values that are not scalars, last in both directions."""
    keys: dict[str, Any] = {}
    order: dict[str, int] = {}
    for number, each in enumerate(sort):
        value = f"${_field(each.path)}" if is_plain(each.path) else expressions.single_value("$document", each.path)
        is_scalar = {"$in": [{"$type": value}, list(SCALAR_TYPES)]}
        keys[f"missing{number}"] = {"$cond": [is_scalar, 0, 1]}
        keys[f"key{number}"] = {"$cond": [is_scalar, value, None]}
        order[f"missing{number}"] = 1
        order[f"key{number}"] = -1 if each.descending else 1
    order["_id"] = 1
    return [{"$addFields": keys}, {"$sort": order}]


def _compile(condition: Condition, prefix: Path) -> Filter:
    match condition:
        case And(conditions):
            parts = [part for each in conditions if (part := _compile(each, prefix))]
            return {"$and": parts} if parts else {}
        case Or(conditions):
            return {"$or": [_compile(each, prefix) for each in conditions]} if conditions else NOTHING
        case Not(inner):
            return {"$nor": [_compile(inner, prefix)]}
        case _ if not _is_sayable(condition):
            return {"$expr": expressions.compile_expression(condition, "$document")}
        case Between(path, low, high):
            return _between(prefix, path, {"$gte": storable(low), "$lte": storable(high)})
        case Element(path, inner):
            return {_dotted(prefix + path): {"$elemMatch": _criteria(inner)}}
        case _:
            test = _value_test(condition)
            return {_dotted(prefix + condition.path): test} if test is not None else NOTHING


def _is_sayable(condition: Condition) -> bool:
    """Return whether MongoDB's dotted names can express every path in the condition."""
    match condition:
        case And(conditions) | Or(conditions):
            return all(map(_is_sayable, conditions))
        case Not(inner):
            return _is_sayable(inner)
        case Element(path, inner):
            return is_plain(path) and _is_sayable(inner)
        case _:
            return is_plain(condition.path)


def _criteria(condition: Condition) -> Filter:
    """Return an element's filter; it names some member, or MongoDB would apply its operators to the element itself."""
    compiled = _compile(condition, ())
    if all(name.startswith("$") for name in compiled):
        return {**TRUE_OF_ANY_MEMBER, **compiled}
    return compiled


def _value_test(condition: Compare | Text | Regex | Exists | HasValue) -> Filter | None:
    """Return the operators that one value must satisfy; None when no value can."""
    match condition:
        case Compare(_, operator, operand):
            return _comparison(operator, operand)
        case Text(_, operator, operand, ignore_case):
            return {"$regex": text_pattern(operator, operand, ignore_case=ignore_case)}
        case Regex(_, pattern):
            return {"$regex": to_pcre(pattern)}
        case Exists():
            return {"$exists": True}
        case _:
            return {"$type": list(VALUE_TYPES)}


def _between(prefix: Path, path: Path, bounds: Filter) -> Filter:
    """Return a filter for a single value within both bounds. An index can serve its first two conditions.

    In a plain filter, different elements of a list may satisfy the two bounds. So the alternatives state where the last
    list on the path is: nowhere, at one of the steps to the value, or at the value itself.
    """
    field = _dotted(prefix + path)
    alternatives: list[Filter] = [_between_without_lists(prefix, path, bounds), {field: {"$elemMatch": bounds}}]
    for length in range(1, len(path)):
        rest = _between_without_lists((), path[length:], bounds)
        alternatives.append({_dotted(prefix + path[:length]): {"$elemMatch": {**TRUE_OF_ANY_MEMBER, **rest}}})
    return {"$and": [*({field: {sign: bound}} for sign, bound in bounds.items()), {"$or": alternatives}]}


def _between_without_lists(prefix: Path, path: Path, bounds: Filter) -> Filter:
    steps = [_dotted(prefix + path[:length]) for length in range(1, len(path) + 1)]
    return {"$and": [{steps[-1]: bounds}, *({step: {"$not": {"$type": "array"}}} for step in steps)]}


def _dotted(path: Path) -> str:
    return ".".join(path)


def _field(path: Path) -> str:
    return ".".join(("document", *path))


def _comparison(operator: Operator, operand: Scalar) -> Filter | None:
    if operator is Operator.EQ:
        return {"$eq": storable(operand)}
    if isinstance(operand, bool):
        return None
    if operator is Operator.PREFIX:
        return {"$regex": prefix_pattern(operand)} if isinstance(operand, str) else None
    return {SYMBOLS[operator]: storable(operand)}
