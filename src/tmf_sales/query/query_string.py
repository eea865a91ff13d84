"""Splits the raw query string into names, operators and values (TMF630 part 1, filtering; the WHATWG form encoding).

Only this module decodes. A part between two `&` is decoded as a whole, so `a%3E=5` and `a>=5` are the same. Separators
of values are then searched for in the decoded text, except inside quotation marks or where they were encoded twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tmf_sales.errors import InvalidFilter, InvalidParameter
from tmf_sales.query.names import OPERATORS, RESERVED, path_of
from tmf_sales.values.messages import shown

LONGEST_QUERY = 8 * 1024
MOST_PARTS = 200
MOST_CONJUNCTIONS = 30
_LITERALS = {
    "=": "eq", "==": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "*=": "regex", "=~": "regex",
}  # fmt: skip

_HEAD = re.compile(
    r'((?:"[^"]*(?:""[^"]*)*"|[^"=<>;!*]++|[!*](?!=))*+)(\*=|!=|=~|==|>=|<=|<>|=|>|<)'  # steps in "" may hold any sign
)
_ENCLOSED_OPERAND = re.compile(r'"((?:[^"]|"")*)"(?=[,;]|\Z)')
_PLAIN_OPERAND = re.compile(r"[^,;]*")
_PATTERN = re.compile(r"[^;]*")
_OPENING = re.compile(r"\[|%5B", re.IGNORECASE)
_CLOSING = re.compile(r"\]|%5D", re.IGNORECASE)
_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
_ENCODED_TWICE = re.compile(r"%(?:2C|3B|22)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One attribute, one operator, and its values as text. `label`: the name as the client wrote it, for messages.

    `exact`: the name is in quotation marks or has an operator suffix, so it cannot be a misspelt parameter.
    """

    label: str
    name: str
    operator: str
    operands: tuple[str, ...]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of the reserved names with its decoded value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """The text between two `&`: a reserved parameter, or ORed terms. `raw` is not decoded."""

    raw: str
    parameter: Parameter | None
    terms: tuple[Term, ...]


def read_parts(raw: str) -> tuple[Part, ...]:
    """Parse a raw query string, one character per byte (latin-1); raises InvalidFilter, InvalidParameter."""
    if len(raw) > LONGEST_QUERY:
        raise InvalidParameter(f"the query string is longer than {LONGEST_QUERY} characters")
    parts = _split(raw)
    if len(parts) > MOST_PARTS:
        raise InvalidParameter(f"the query string has more than {MOST_PARTS} parameters")
    return tuple(_read_part(part) for part in parts)


def _split(raw: str) -> list[str]:
    """Split at `&`. Clients often do not encode the `&&` of an expression, so inside brackets it does not split."""
    parts: list[str] = []
    for chunk in raw.split("&&", MOST_CONJUNCTIONS):
        first, *others = chunk.split("&")
        if parts and parts[-1].startswith("filter=") and _is_open(parts[-1]):
            parts[-1] += f"&&{first}"
        else:
            parts.append(first)
        parts += others
    return [part for part in parts if part]


def _is_open(expression: str) -> bool:
    return len(_OPENING.findall(expression)) > len(_CLOSING.findall(expression))


def _read_part(raw: str) -> Part:
    text = _decoded(raw)
    head = _HEAD.match(text)
    name = head[1].strip() if head else ""
    if head and name in RESERVED:
        if head[2] != "=":
            raise InvalidParameter(f"{name}: is a reserved name, and the attribute of this name is {name}.eq")
        return Part(raw, Parameter(name, text[head.end() :]), ())
    return Part(raw, None, _read_terms(text))


def _decoded(raw: str) -> str:
    return _percent_decoded(raw.replace("+", " "), "latin-1")


def _percent_decoded(encoded: str, charset: str) -> str:
    """Percent-decode text (RFC 3986, 2.1); a percent sign that begins no code stays."""
    try:
        text = _ENCODED.sub(lambda found: bytes.fromhex(found[1].decode()), encoded.encode(charset)).decode()
    except UnicodeError:
        raise InvalidFilter(f"{shown(encoded)} is not percent-encoded UTF-8") from None
    if "\0" in text:
        raise InvalidFilter(f"{shown(text)} has a NUL character at position {text.index(chr(0)) + 1}")
    return text


def _read_terms(text: str) -> tuple[Term, ...]:
    """Split at semicolons into terms; text without an operator adds values to the term before it."""
    terms: list[Term] = []
    position = 0
    if text.count(";") > MOST_PARTS:
        raise InvalidFilter(f"{shown(text)}: more than {MOST_PARTS} semicolons")
    while position <= len(text):
        head = _HEAD.match(text, position)
        if head and not (terms and text.startswith('"', position) and _is_operand(head)):
            term, position = _read_head(head)
        elif terms:
            head, term = None, terms[-1]
        else:
            raise InvalidFilter(_no_operator(text))
        operands, position = _read_operands(text, position, term.operator, term.label)
        if head is None or (terms and term.operator == "eq" and _same(term, terms[-1])):
            terms[-1] = replace(terms[-1], operands=terms[-1].operands + operands)
        else:
            terms.append(replace(term, operands=operands or ("",)))
    return tuple(terms)


def _is_operand(head: re.Match[str]) -> bool:
    """Whether text in "" after a semicolon is a further value, not a name."""
    return path_of(head[1].strip()) is None


def _same(one: Term, other: Term) -> bool:
    return (one.name, one.operator) == (other.name, other.operator)


def _no_operator(text: str) -> str:
    if text.count('"') % 2:
        position = text.rindex('"') + 1
        return f'{shown(text)}: the " at position {position} is not closed'
    return f"{shown(text)}: the operator is missing; write name=value"


def _read_head(head: re.Match[str]) -> tuple[Term, int]:
    """The term without its values, and the position where these start."""
    name, literal = head[1].strip(), head[2]
    if literal == "<>":
        raise InvalidFilter(f"{shown(name)}: <> is not an operator; write {name if path_of(name) else 'name'}!=value")
    attribute, dot, suffix = name.rpartition(".")
    if dot and suffix in OPERATORS:
        if not literal.startswith("="):
            raise InvalidFilter(f"{shown(name)}: has two operators, .{suffix} and {literal}")
        return Term(name, attribute, suffix, (), exact=True), head.end(1) + 1
    if name in RESERVED:
        raise InvalidParameter(f"{name}: cannot stand beside other conditions in one parameter")
    # The `=` of the parameter may follow an operator that was encoded into the name: `name%3E%3D=5`.
    end = head.end() + (literal != "=" and head.string.startswith("=", head.end()))
    label = name if literal == "=" else name + literal
    return Term(label, name, _LITERALS[literal], (), exact=name.startswith('"')), end


def _read_operands(text: str, position: int, operator: str, label: str) -> tuple[tuple[str, ...], int]:
    """The values up to the next semicolon, without empty ones, and the position after it."""
    operands: list[str] = []
    separator = ","
    while separator == ",":
        found = _operand(text, position, operator, label)
        if found.re is _ENCLOSED_OPERAND:
            operands.append(found[1].replace('""', '"'))
        elif found[0]:
            operands.append(_decoded_again(found[0]))
        separator = text[found.end() : found.end() + 1]
        position = found.end() + 1
    return tuple(operands), position


def _operand(text: str, position: int, operator: str, label: str) -> re.Match[str]:
    """The next value. A regular expression keeps its commas, and its quotation marks unless they enclose all of it."""
    if not text.startswith('"', position):
        return (_PATTERN if operator == "regex" else _PLAIN_OPERAND).match(text, position)  # type: ignore[return-value]
    found = _ENCLOSED_OPERAND.match(text, position)
    if operator == "regex" and (found is None or text.startswith(",", found.end())):
        return _PATTERN.match(text, position)  # type: ignore[return-value]
    if found is None:
        raise InvalidFilter(f'{shown(label)}: the " at position {position + 1} is not closed')
    return found


def _decoded_again(operand: str) -> str:
    """Decode a value again in which a separator or `"` is still encoded: clients encode twice to protect it."""
    return _percent_decoded(operand, "utf-8") if _ENCODED_TWICE.search(operand) else operand
