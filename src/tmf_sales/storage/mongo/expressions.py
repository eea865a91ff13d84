"""Compiles conditions into MongoDB's aggregation language, for members whose names its filters cannot express.

A filter reads `a.b` as a path, `5` also as a position in a list, and accepts no name that begins with `$`. Here a
member is found by comparing its name, as a value, with the names that an object has; the meaning is that of `evaluate`.
"""

from __future__ import annotations

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
    Text,
    TextOperator,
)
from tmf_sales.storage.mongo.patterns import text_pattern, to_pcre

Expression = Any

NUMBER_TYPES = ["int", "long", "double"]
SIGNS = {Operator.GT: "$gt", Operator.GTE: "$gte", Operator.LT: "$lt", Operator.LTE: "$lte"}
FALSE: Expression = {"$literal": False}


def compile_expression(condition: Condition, root: str, depth: int = 0) -> Expression:
    """Return an expression that is true when `condition` holds for the object that `root` names."""
    match condition:
        case And(conditions):
            return {"$and": [compile_expression(each, root, depth) for each in conditions]}
        case Or(conditions):
            return {"$or": [compile_expression(each, root, depth) for each in conditions]}
        case Not(inner):
            return {"$not": [compile_expression(inner, root, depth)]}
        case Exists(path):
            return {"$gt": [{"$size": _ends(root, path)}, 0]}
        case HasValue(path):
            return _any(_ends(root, path), "value", {"$ne": ["$$value", None]})
        case Element(path, inner):
            name = f"element{depth}"
            holds = compile_expression(inner, f"$${name}", depth + 1)
            is_element = {"$in": [{"$type": f"$${name}"}, ["object", "array"]]}
            return _any(_elements(_ends(root, path)), name, {"$cond": [is_element, holds, False]})
        case _:
            return _any(_flat(_ends(root, condition.path)), "value", _value_test(condition))


def single_value(root: str, path: Path) -> Expression:
    """Return the value at `path` when no list is on the way to it."""
    value: Expression = {"$ifNull": [root, None]}
    for step in path:
        found = {"$ifNull": [{"$arrayElemAt": [_members("$$object", step), 0]}, None]}
        in_object = {"$cond": [{"$eq": [{"$type": "$$object"}, "object"]}, found, None]}
        value = {"$let": {"vars": {"object": value}, "in": in_object}}
    return value


def _ends(root: str, path: Path) -> Expression:
    """Return all values at the end of `path`, which starts at an object and goes through lists one level deep."""
    reached: Expression = [{"$ifNull": [root, None]}]
    for number, step in enumerate(path):
        inside = {"$cond": [{"$eq": [{"$type": "$$this"}, "object"]}, _members("$$this", step), []]}
        reached = _joined(_flat(reached) if number else reached, inside)
    return reached


def _members(value: str, name: str) -> Expression:
    """Return the values of the members of an object that have this name: one or none."""
    is_named = {"$eq": ["$$member.k", {"$literal": name}]}
    found = {"$filter": {"input": {"$objectToArray": value}, "as": "member", "cond": is_named}}
    return {"$map": {"input": found, "as": "member", "in": "$$member.v"}}


def _flat(values: Expression) -> Expression:
    """Return the values, with each list replaced by its elements."""
    return _joined(values, {"$cond": [{"$isArray": ["$$this"]}, "$$this", ["$$this"]]})


def _elements(values: Expression) -> Expression:
    """Return the elements of the lists among the values."""
    return _joined(values, {"$cond": [{"$isArray": ["$$this"]}, "$$this", []]})


def _joined(values: Expression, lists: Expression) -> Expression:
    return {"$reduce": {"input": values, "initialValue": [], "in": {"$concatArrays": ["$$value", lists]}}}


def _any(values: Expression, name: str, test: Expression) -> Expression:
    return {"$anyElementTrue": [{"$map": {"input": values, "as": name, "in": test}}]}


def _value_test(condition: Compare | Between | Text | Regex) -> Expression:
    match condition:
        case Compare(_, Operator.PREFIX, str() as operand):
            return _matches(text_pattern(TextOperator.STARTS_WITH, operand, ignore_case=False))
        case Compare(_, Operator.EQ, operand):
            return {"$eq": ["$$value", _literal(operand)]}
        case Compare(_, operator, operand):
            if isinstance(operand, bool) or operator is Operator.PREFIX:
                return FALSE
            return {"$and": [_has_type_of(operand), {SIGNS[operator]: ["$$value", _literal(operand)]}]}
        case Between(_, low, high):
            bounds = ({"$gte": ["$$value", _literal(low)]}, {"$lte": ["$$value", _literal(high)]})
            return {"$and": [_has_type_of(low), *bounds]}
        case Text(_, operator, operand, ignore_case):
            return _matches(text_pattern(operator, operand, ignore_case=ignore_case))
        case _:
            return _matches(to_pcre(condition.pattern))


def _matches(pattern: str) -> Expression:
    is_match = {"$regexMatch": {"input": "$$value", "regex": {"$literal": pattern}}}
    return {"$cond": [{"$eq": [{"$type": "$$value"}, "string"]}, is_match, False]}


def _has_type_of(operand: Scalar) -> Expression:
    return {"$in": [{"$type": "$$value"}, ["string"] if isinstance(operand, str) else NUMBER_TYPES]}


def _literal(operand: Scalar) -> Expression:
    return {"$literal": storable(operand)}


def storable(operand: Scalar) -> Scalar:
    """Return the value as BSON can hold it; stored integers have 64 bits, so a larger one only needs its order."""
    if isinstance(operand, int) and not isinstance(operand, bool) and not -(2**63) <= operand < 2**63:
        return float(operand)
    return operand
