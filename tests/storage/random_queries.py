"""Random documents and queries about them: the operands come from the documents, so that most queries find something.

A case is made from one number by Python's generator, which is quick and gives each case documents of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
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
    Query,
    Regex,
    Scalar,
    Sort,
    Text,
    TextOperator,
)
from tmf_sales.storage.evaluate import matches

Document = dict[str, Any]

TEXTS = [
    "", "a", "ab", "abc", "b", "B", "é", "e\u0301", "z\u0000y", "a\nb", "a\n", "1", "true", '"', "\\", "'", "a.b", "$a",
    "AB", "É", "ß", "ẞ", "ss", "\u017f", "\u212a", "k", "İ", "Σς", "[a]", "a-b",
    "\U0001f600", "\U0010ffff", "\ud7ff", "\ue000", "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z",
]  # fmt: skip
NUMBERS = [0, 1, -1, 1.0, 2, 10, 2.5, 0.1 + 0.2, 1e300, -0.0, 2**53 - 1, 2**53 + 1, 2**63 - 1]
EXTREMES = [5e-324, -(2**63)]
NAMES = ["name", "state", "date", "size", "party", "note", "colour"]
INNER_NAMES = ["id", "amount", "text", "@type", "it's", "a.b", "0", "", "id", "amount", "id", "text"]
PATTERNS = ["^a", "b$", "[a-c]", "a.*b", "a?b", "^$", "[^a]", "\\.", "[$]", "^.$", "[0-9]+", "a{1,2}"]


@dataclass(frozen=True)
class Case:
    """A few documents, what each of them was before (or None), and queries about them."""

    documents: list[Document]
    before: list[Document | None]
    queries: list[Query]


def make_case(seed: int, queries: int) -> Case:
    drawing = Drawing(Random(seed))
    documents = [drawing.document() for _ in range(7)] + [{}]
    before = [drawing.one_of([None, drawing.document()]) for _ in documents]
    return Case(documents, before, [drawing.query(documents) for _ in range(queries)])


def operators_in(condition: Condition) -> Counter[str]:
    """How often each operator occurs in a tree."""
    match condition:
        case Compare(_, operator, _):
            return Counter([operator.value])
        case And(parts) | Or(parts):
            inner = sum((operators_in(each) for each in parts), Counter[str]())
        case Not(part) | Element(_, part):
            inner = operators_in(part)
        case Text(_, operator, _, ignore_case):
            return Counter([f"{operator.value}{'i' if ignore_case else ''} text"])
        case _:
            inner = Counter()
    return inner + Counter([type(condition).__name__.lower()])


class Drawing:
    """Draws documents and queries from a generator."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.one_of = random.choice

    def document(self) -> Document:
        """As a contract allows it: at most one member of a compound index holds a list."""
        drawn = {name: self._value() for name in self._random.sample(NAMES, self._random.randint(1, 6))}
        if isinstance(drawn.get("state"), list) and isinstance(drawn.get("date"), list):
            del drawn["date"]
        return drawn

    def query(self, documents: Sequence[Document]) -> Query:
        """A query about one of the documents; one that tells nothing of them is mostly drawn again."""
        about = self.one_of(documents[:-1])
        for _ in range(3):
            where = self._condition(about, documents, depth=2)
            if 0 < sum(matches(where, document) for document in documents) < len(documents):
                break
        paths = [path for path, _ in _facts(about, ())] or [("name",)]
        return Query(
            where,
            tuple(Sort(self.one_of(paths), self._chance(2)) for _ in range(self.one_of([0, 1, 2]))),
            offset=self.one_of([0, 0, 0, 1, 3]),
            limit=self.one_of([100, 100, 3, 1, 0]),
            count_limit=self.one_of([0, 0, 0, 2]),
        )

    def _scalar(self) -> Scalar | None:
        if self._chance(500):
            return self.one_of(EXTREMES)
        return self.one_of([self.one_of(TEXTS), self.one_of(TEXTS), self.one_of(NUMBERS), self._chance(2), None])

    def _inner(self, depth: int = 1) -> Any:
        object_type = self._random.random()
        if object_type < 0.7 or not depth:
            return self._scalar()
        if object_type < 0.85:
            return [self._scalar() for _ in range(self._random.randint(0, 2))]
        return self._object(depth - 1)

    def _object(self, depth: int = 1) -> Document:
        return {self.one_of(INNER_NAMES): self._inner(depth) for _ in range(self._random.randint(0, 3))}

    def _value(self) -> Any:
        object_type = self._random.random()
        if object_type < 0.45:
            return self._scalar()
        if object_type < 0.65:
            return self._object()
        if object_type < 0.9:
            return [self._object() for _ in range(self._random.randint(0, 3))]
        return [self.one_of([self._scalar(), self._object(), [self._object()]]) for _ in range(3)]

    def _condition(self, about: Any, others: Sequence[Any], depth: int) -> Condition:
        object_type = self.one_of(["leaf", "leaf", "and", "or", "not"]) if depth else "leaf"
        match object_type:
            case "and":
                return And(self._some(about, others, depth))
            case "or":
                return Or(self._some(about, others, depth))
            case "not":
                return Not(self._condition(about, others, depth - 1))
        elements = list(_lists(about, ()))
        if elements and self._chance(4):
            path, element = self.one_of(elements)
            return Element(path, self._condition(element, [element], depth))
        return self._leaf(about, others)

    def _some(self, about: Any, others: Sequence[Any], depth: int) -> tuple[Condition, ...]:
        return tuple(self._condition(about, others, depth - 1) for _ in range(self.one_of([1, 2, 2, 3])))

    def _leaf(self, about: Any, others: Sequence[Any]) -> Condition:
        facts = list(_facts(about, ())) or [(("name",), "a")]
        path, value = self.one_of([fact for fact in facts if fact[1] is not None] or facts)
        if self._chance(8):
            return Exists(path) if self._chance(2) else HasValue(path)
        if isinstance(value, str) and self._chance(3):
            return self._text(path, value)
        if isinstance(value, str) and self._chance(4):
            return Regex(path, self.one_of([*PATTERNS, _literal(value[:2]), _literal(value[-1:]) + "$"]))
        if isinstance(value, str) and self._chance(4):
            return Compare(path, Operator.PREFIX, value[: self.one_of([0, 1, 2])])
        if value is not None and not isinstance(value, bool) and self._chance(4):
            low, high = self._bounds(path, value, others)
            return Between(path, low, high)
        if value is None or self._chance(12):
            return Compare(path, self.one_of([*Operator]), self._operand())
        if self._chance(2):
            value = self.one_of(_values_at(path, others) or [value])
        return Compare(path, self.one_of([Operator.EQ, *Operator]), value)

    def _text(self, path: Path, value: str) -> Condition:
        """A text operator with a part of the value, often in another case."""
        part = self.one_of([value, value[:1], value[-1:], value[1:2], value[1:]])
        ignore_case = not self._chance(3)
        if ignore_case:
            part = self.one_of([part, part.upper(), part.lower(), part.swapcase()])
        return Text(path, self.one_of([*TextOperator]), part, ignore_case)

    def _bounds(self, path: Path, value: Scalar, others: Sequence[Any]) -> tuple[Scalar, Scalar]:
        """Two values of one type, mostly around what is stored."""
        known = [each for each in _values_at(path, others) if not isinstance(each, bool)]
        other = self.one_of([*(each for each in known if isinstance(each, str) == isinstance(value, str)), value])
        low, high = sorted([value, other], key=lambda each: (each,))
        return (high, low) if self._chance(10) else (low, high)

    def _operand(self) -> Scalar:
        choices: list[Scalar] = [True, False, self.one_of(TEXTS), self.one_of(NUMBERS)]
        return self.one_of(choices)

    def _chance(self, one_in: int) -> bool:
        return self._random.randrange(one_in) == 0


def _literal(text: str) -> str:
    return "".join(f"\\{letter}" if letter in ".$\\[]" else letter for letter in text)


def _facts(value: Any, path: Path) -> Iterator[tuple[Path, Scalar | None]]:
    """Each scalar with the path to it; lists add no step."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _facts(member, (*path, name))
    elif isinstance(value, list):
        for element in value:
            yield from _facts(element, path)
    elif path:
        yield path, value


def _values_at(path: Path, documents: Sequence[Any]) -> list[Scalar]:
    return [value for each in documents for at, value in _facts(each, ()) if at == path and value is not None]


def _lists(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Each element of each list with the path to the list."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _lists(member, (*path, name))
    elif isinstance(value, list) and path:
        for element in value:
            yield path, element
            yield from _lists(element, path)
