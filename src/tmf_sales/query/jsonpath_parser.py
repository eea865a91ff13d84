"""JSONPath expressions as text, parsed by python-jsonpath under bounds, without evaluating any of it (RFC 9535).

Promise: no function is called and no regular expression compiled, whatever the expression; what is too deep or too
large is refused by its tokens, before it is parsed.
"""

from __future__ import annotations

from typing import cast

from jsonpath import JSONPath, JSONPathEnvironment
from jsonpath.exceptions import JSONPathError, JSONPathSyntaxError
from jsonpath.filter import BaseExpression, FilterExpressionLiteral
from jsonpath.lex import Lexer
from jsonpath.parse import Parser
from jsonpath.stream import TokenStream
from jsonpath.token import TOKEN_LBRACKET, TOKEN_LPAREN, TOKEN_NOT, TOKEN_RBRACKET, TOKEN_RE_FLAGS, TOKEN_RPAREN, Token

from tmf_sales.messages import shown

MOST_TOKENS = 500
MOST_NESTED = 12
MOST_OPERATORS = 64
ROOT = "$"


class UnsupportedExpression(ValueError):
    """Raised for text that is no JSONPath or is outside the subset; the text says what is wrong, and where."""


class NumberLiteral(FilterExpressionLiteral[str]):
    """A number as it was written, so that an identifier of digits stays what it is."""


class PatternLiteral(FilterExpressionLiteral[str]):
    """A regular expression between slashes, not compiled."""


class _Lexer(Lexer):
    """Knows names such as `@type` behind a dot, and no words for operators, so that they can be names."""

    key_pattern = r"[@A-Za-z_][A-Za-z0-9_@-]*"
    logical_not_pattern = "!"
    logical_and_pattern = "&&"
    logical_or_pattern = r"\|\|"


class _Parser(Parser):
    def parse_function_extension(self, stream: TokenStream) -> BaseExpression:
        token = stream.current()
        raise JSONPathSyntaxError(f"the function {shown(token.value)}", token=token)

    def parse_regex(self, stream: TokenStream) -> BaseExpression:
        pattern = stream.next()
        flags = stream.next()
        if flags.kind == TOKEN_RE_FLAGS and flags.value:
            raise JSONPathSyntaxError("a flag behind a regular expression", token=flags)
        return PatternLiteral(value=pattern.value)

    def parse_integer_literal(self, stream: TokenStream) -> BaseExpression:
        return NumberLiteral(value=stream.next().value)

    parse_float_literal = parse_integer_literal


class _Environment(JSONPathEnvironment):
    """RFC 9535 and `=~`; the library's other additions (union, keys, parents, context) are switched off."""

    lexer_class = _Lexer
    parser_class = _Parser
    pseudo_root_token = ""
    filter_context_token = ""
    intersection_token = ""
    union_token = ""
    key_token = ""
    keys_filter_token = ""


_ENVIRONMENT = _Environment(filter_caching=False, well_typed=False)


class Source:
    """An expression as the client wrote it, and with the `$` that may be left out."""

    def __init__(self, text: str) -> None:
        stripped = text.strip(" \t\r\n")
        self.given = stripped
        start = "" if stripped.startswith(ROOT) else ROOT if stripped.startswith("[") else f"{ROOT}."
        self.text = start + stripped
        self._added = len(start) - text.find(stripped)

    def refusal(self, what: str, token: Token | None) -> UnsupportedExpression:
        """The refusal, naming the position in what the client wrote, counted from 1."""
        if token is None or token.index < 0:
            return UnsupportedExpression(f"{what} at the end is not supported")
        return UnsupportedExpression(f"{what} at position {max(token.index - self._added, 0) + 1} is not supported")

    def parse(self) -> JSONPath:
        """The library's tree of the expression; raises UnsupportedExpression."""
        try:
            self._reject_excess()
            # Without the operators for it, no expression is a union of several paths.
            return cast(JSONPath, _ENVIRONMENT.compile(self.text))
        except JSONPathError as error:
            raise self.refusal(_what(error), error.token) from None
        except (ValueError, OverflowError) as error:
            if isinstance(error, UnsupportedExpression):
                raise
            raise UnsupportedExpression(f"{shown(self.given)} has an index that is no integer") from None

    def _reject_excess(self) -> None:
        """The parser calls itself for brackets and for operators, so these are what has to be bounded."""
        depth = operators = 0
        for number, token in enumerate(_ENVIRONMENT.lexer.tokenize(self.text)):
            if token.kind in {TOKEN_LPAREN, TOKEN_LBRACKET}:
                depth += 1
            elif token.kind in {TOKEN_RPAREN, TOKEN_RBRACKET}:
                depth -= 1
            elif token.kind == TOKEN_NOT or token.kind in Parser.BINARY_OPERATORS:
                operators += 1
            if depth > MOST_NESTED:
                raise self.refusal(f"nesting deeper than {MOST_NESTED}", token)
            if operators > MOST_OPERATORS or number > MOST_TOKENS:
                raise self.refusal("an expression of this size", token)


def _what(error: JSONPathError) -> str:
    """What the library found wrong. Its own messages may hold much of the client's text; ours are bounded."""
    if error.token is None or error.token.index < 0:
        return "the expression, which is not complete"
    message = str(error.message)
    return message if message.startswith(("the function", "a flag")) else shown(error.token.value)
