"""Parses the JSONPath subset of queries and patches into a small tree, without evaluating it (RFC 9535).

Extensions of the RFC: a `$` or `$.` at the start may be left out, a name may begin with `@` (`@.@type`), and
`=~ /pattern/` is a comparison. Other text outside the RFC's grammar is rejected with its position, and so are
expressions that are nested too deeply or too large.
"""

from __future__ import annotations

import re
from typing import NoReturn

from tmf_sales.query.jsonpath_tree import (
    AllOf,
    AnyOf,
    BooleanLiteral,
    Comparison,
    Expression,
    Index,
    Location,
    Member,
    Negation,
    NullLiteral,
    NumberLiteral,
    Operand,
    PatternLiteral,
    Selector,
    Test,
    TextLiteral,
    Where,
    Wildcard,
)
from tmf_sales.values.messages import shown

MOST_NESTED = 12
MOST_OPERATORS = 64

_SPACE = re.compile(r"[ \t\n\r]*")
_NAME = re.compile("@?[A-Za-z_\x80-\ud7ff\ue000-\U0010ffff][A-Za-z0-9_\x80-\ud7ff\ue000-\U0010ffff]*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LIKE_NUMBER = re.compile(r"[+-]?\.?[0-9][0-9A-Za-z_.]*(?:(?<=[eE])[+-][0-9A-Za-z_.]*)?")
_TEXT = {
    mark: re.compile(rf"(?:[^{mark}\\\x00-\x1f]|\\(?:[bfnrt/\\{mark}]|u[0-9A-Fa-f]{{4}}))*+", re.DOTALL)
    for mark in ("'", '"')
}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))")
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PATTERN = re.compile(r"/((?:[^/\\]|\\.)*+)/", re.DOTALL)
_COMPARISON = re.compile(r"==|!=|<=|>=|=~|<(?!>)|>")
_FOREIGN = {"and": "&&", "or": "||", "not": "!", "True": "true", "False": "false", "None": "null", "nil": "null"}
_FOREIGN_SIGNS = {"===": "==", "!==": "!=", "<>": "!=", "&": "&&", "|": "||", "=": "=="}


class UnsupportedExpression(ValueError):
    """Raised for text that is not JSONPath or is outside the subset; the message says what is wrong, and where."""


def unsupported(what: str, position: int) -> UnsupportedExpression:
    """`position` counts from 0, the message from 1."""
    return UnsupportedExpression(f"{what} at position {position + 1} is not supported")


def parse(text: str) -> Location:
    """Parse a whole expression; raises UnsupportedExpression."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text.rstrip(" \t\n\r")
        self.position = 0
        self.depth = 0
        self.operators = 0

    def parse(self) -> Location:
        self.skip_space()
        start = self.position
        selectors: list[Selector] = []
        if not self.takes("$") and not self.looks_at("["):
            selectors.append(self.named_member())
        selectors += self.selectors()
        if self.position < len(self.text):
            self.reject_rest()
        return Location(tuple(selectors), start, absolute=True)

    # segments ------------------------------------------------------------------------------------------------------

    def selectors(self) -> list[Selector]:
        """Parse all segments. Blanks are allowed between them, but not after a dot (RFC 9535, 2.5)."""
        found: list[Selector] = []
        while True:
            before = self.position
            self.skip_space()
            if self.looks_at(".."):
                raise unsupported("'..'", self.position)
            if self.looks_at("["):
                found.append(self.bracketed())
            elif self.takes("."):
                found.append(self.named_member())
            else:
                self.position = before
                return found

    def named_member(self) -> Selector:
        start = self.position
        if self.takes("*"):
            return Wildcard(start)
        name = self.match(_NAME)
        if name is None and self.position < len(self.text):
            raise unsupported(shown(self.text[self.position]), self.position)
        if name is None:
            self.reject_rest()
        if self.looks_at("-"):
            raise UnsupportedExpression(
                f"'-' at position {self.position + 1} cannot stand in a name; write it as ['{shown(name)[1:-1]}-...']"
            )
        return Member(name, start)

    def bracketed(self) -> Selector:
        start = self.position
        self.enter("[")
        selector = self.selector(start)
        self.skip_space()
        if self.looks_at(","):
            raise unsupported("a list of selectors", start)
        if self.looks_at(":") and not isinstance(selector, Where):
            raise unsupported("a slice", start)
        self.leave("]")
        return selector

    def selector(self, start: int) -> Selector:
        if self.looks_at("'", '"'):
            return Member(self.text_literal(), start, enclosed=True)
        if self.takes("?"):
            return Where(self.any_of(), start)
        if self.takes("*"):
            return Wildcard(start)
        if self.looks_at(":"):
            raise unsupported("a slice", start)
        digits = self.match(_INTEGER)
        if digits is None:
            self.reject_rest()
        if len(digits) > len(str(2**53)) or self.text[self.position : self.position + 1].isalnum():
            raise unsupported(f"the index {shown(digits)}", self.position - len(digits))
        return Index(int(digits), start)

    # conditions ----------------------------------------------------------------------------------------------------

    def any_of(self) -> Expression:
        parts = [self.all_of()]
        while self.takes_operator("||"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def all_of(self) -> Expression:
        parts = [self.basic()]
        while self.takes_operator("&&"):
            parts.append(self.basic())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def basic(self) -> Expression:
        self.skip_space()
        start = self.position
        if self.takes("!"):
            self.count_operator(start)
            return Negation(self.negated())
        return self.in_parentheses() if self.looks_at("(") else self.comparison()

    def negated(self) -> Expression:
        self.skip_space()
        if self.looks_at("("):
            return self.in_parentheses()
        if not self.looks_at("@", "$"):
            self.reject_rest()
        location = self.location()
        self.skip_space()
        if self.text[self.position : self.position + 1] in {"=", "!", "<", ">"}:
            raise UnsupportedExpression(
                f"a comparison behind '!' at position {self.position + 1} is not supported; write !(...)"
            )
        return Test(location)

    def in_parentheses(self) -> Expression:
        self.enter("(")
        inner = self.any_of()
        self.leave(")")
        return inner

    def comparison(self) -> Expression:
        start = self.position
        left = self.operand()
        self.skip_space()
        where = self.position
        operator = None if self.foreign_sign() else self.match(_COMPARISON)
        if operator is None:
            if isinstance(left, Location):
                return Test(left)
            self.reject_rest()
        self.count_operator(where)
        self.skip_space()
        right = self.operand()
        return Comparison(left, operator, right, start)

    def operand(self) -> Operand:
        if self.looks_at("@", "$"):
            return self.location()
        if self.looks_at("'", '"'):
            return TextLiteral(self.text_literal())
        start = self.position
        pattern = self.match(_PATTERN)
        if pattern is not None:
            if flags := self.match(_WORD):
                raise unsupported("a flag behind a regular expression", self.position - len(flags))
            return PatternLiteral(pattern[1:-1])
        number = self.match(_LIKE_NUMBER)
        if number is not None:
            if not _NUMBER.fullmatch(number):
                raise unsupported(f"the number {shown(number)}", start)
            return NumberLiteral(number)
        return self.word()

    def word(self) -> Operand:
        start = self.position
        word = self.match(_WORD)
        if word not in {"true", "false", "null"}:
            self.position = start
            self.reject_rest()
        return NullLiteral() if word == "null" else BooleanLiteral(word == "true")

    def location(self) -> Location:
        start = self.position
        absolute = self.text[start] == "$"
        self.position += 1
        return Location(tuple(self.selectors()), start, absolute=absolute)

    def text_literal(self) -> str:
        start = self.position
        mark = self.text[start]
        self.position += 1
        text = self.match(_TEXT[mark]) or ""
        if self.position >= len(self.text):
            raise UnsupportedExpression(f"the text at position {start + 1} is not closed")
        if not self.takes(mark):
            raise unsupported(shown(self.text[self.position : self.position + 2]), self.position)
        return _unescaped(text)

    # pieces --------------------------------------------------------------------------------------------------------

    def skip_space(self) -> None:
        self.match(_SPACE)

    def looks_at(self, *texts: str) -> bool:
        return self.text.startswith(texts, self.position)

    def takes(self, text: str) -> bool:
        if not self.looks_at(text):
            return False
        self.position += len(text)
        return True

    def takes_operator(self, operator: str) -> bool:
        self.skip_space()
        start = self.position
        if not self.takes(operator):
            return False
        self.count_operator(start)
        return True

    def match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.position)
        if found is None:
            return None
        self.position = found.end()
        return found[0]

    def enter(self, bracket: str) -> None:
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise unsupported(f"nesting deeper than {MOST_NESTED}", self.position)
        self.position += len(bracket)
        self.skip_space()

    def leave(self, bracket: str) -> None:
        self.skip_space()
        if not self.takes(bracket):
            self.reject_rest()
        self.depth -= 1

    def count_operator(self, position: int) -> None:
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            raise unsupported("an expression of this size", position)

    def foreign_sign(self) -> str | None:
        """The operator of another language at this position, if there is one."""
        return next((sign for sign in _FOREIGN_SIGNS if self.looks_at(sign) and not self.is_own_sign(sign)), None)

    def is_own_sign(self, sign: str) -> bool:
        return len(sign) == 1 and self.looks_at("==", "=~", "&&", "||")

    def reject_rest(self) -> NoReturn:
        """Raise UnsupportedExpression for the text at this position, with the correct spelling if there is one."""
        self.skip_space()
        if self.position >= len(self.text):
            raise UnsupportedExpression("the expression is not complete")
        if self.depth and (sign := self.foreign_sign()):
            raise UnsupportedExpression(f"{unsupported(shown(sign), self.position)}; write {_FOREIGN_SIGNS[sign]}")
        start = self.position
        word = self.match(_WORD)
        if word is None:
            raise unsupported(shown(self.match(_LIKE_NUMBER) or self.text[start]), start)
        if word in _FOREIGN:
            raise UnsupportedExpression(f"{unsupported(shown(word), start)}; write {_FOREIGN[word]}")
        raise unsupported(f"the function {shown(word)}" if self.looks_at("(") else shown(word), start)


def _unescaped(text: str) -> str:
    r"""Replace the escapes of a literal; a surrogate pair such as \ud83d\ude00 becomes one character."""
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPED.get(found[2], found[2]), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
