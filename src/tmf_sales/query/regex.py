"""Checks the regular expressions of `.regex`: a closed subset with the same meaning and bounded work in every store.

Allowed: literals, `.`, `^` first, `$` last, character classes, one quantifier for each atom; no groups, alternation,
back-references or escape classes (TMF630 part 1, filtering). The result has the same meaning in RE2.
"""

from __future__ import annotations

import re

from tmf_sales.values.messages import shown

LONGEST_PATTERN = 100
MOST_UNBOUNDED = 3
MOST_REPEATS = 100
MOST_WAYS = 1000

_CLASS = re.compile(r"\[(\^?)((?:\\.|[^\]\\\[])+)\]", re.DOTALL)
_CLASS_MEMBER = re.compile(r"\\(.)|(.)", re.DOTALL)
_QUANTIFIER = re.compile(r"[*+?]|\{([0-9]{1,3})(,([0-9]{0,3}))?\}")
_REFUSED = frozenset("^$|?*+(){")


class UnsupportedPattern(ValueError):
    """Raised for a regular expression outside the subset; the message names the position, counted from 1."""


def checked_pattern(pattern: str) -> str:
    """Parse the pattern and write it in RE2's syntax; raises UnsupportedPattern."""
    if not pattern:
        raise UnsupportedPattern("the pattern is empty")
    if len(pattern) > LONGEST_PATTERN:
        raise UnsupportedPattern(f"the pattern is longer than {LONGEST_PATTERN} characters")
    return _Reader(pattern).read()


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0
        self.unbounded = 0
        self.ways = 1

    def read(self) -> str:
        written = []
        if self.pattern.startswith("^"):
            self.position = 1
            written.append("^")
        while self.position < len(self.pattern):
            if self.pattern[self.position :] == "$":
                written.append("$")
                break
            written.append(self.atom() + self.quantifier())
        return "".join(written)

    def atom(self) -> str:
        character = self.pattern[self.position]
        if character == "[":
            return self.character_class()
        if character == "\\":
            return self.escaped()
        if character in _REFUSED:
            raise self.refusal(shown(character))
        self.position += 1
        return "." if character == "." else _literal(character)

    def escaped(self) -> str:
        following = self.pattern[self.position + 1 : self.position + 2]
        if not following or following.isalnum() or following == "_":
            raise self.refusal(f"the escape {shown(self.pattern[self.position : self.position + 2])}")
        self.position += 2
        return _literal(following)

    def character_class(self) -> str:
        found = _CLASS.match(self.pattern, self.position)
        if found is None:
            raise self.refusal("a character class that is empty, not closed or nested")
        characters = self.class_members(found)
        ranges = []
        index = 0
        while index < len(characters):
            first = characters[index][0]
            is_range = index + 2 < len(characters) and characters[index + 1] == ("-", True)
            last = characters[index + 2][0] if is_range else first
            if first > last:
                raise self.refusal(f"the range {shown(f'{first}-{last}')}")
            ranges.append(f"{_literal(first)}-{_literal(last)}" if is_range else _literal(first))
            index += 3 if is_range else 1
        self.position = found.end()
        return f"[{found[1]}{''.join(ranges)}]"

    def class_members(self, found: re.Match[str]) -> list[tuple[str, bool]]:
        """The characters of a class, and whether each is unescaped, so that a `-` may form a range."""
        characters = []
        for member in _CLASS_MEMBER.finditer(found[2]):
            if member[1] and (member[1].isalnum() or member[1] == "_"):
                raise self.refusal(f"the escape {shown(member[0])}", found.start(2) + member.start())
            characters.append((member[1] or member[2], not member[1]))
        return characters

    def quantifier(self) -> str:
        found = _QUANTIFIER.match(self.pattern, self.position)
        if found is None:
            return ""
        self.count(found)
        self.position = found.end()
        if _QUANTIFIER.match(self.pattern, self.position):
            raise self.refusal("a second quantifier")
        return found[0]

    def count(self, found: re.Match[str]) -> None:
        """Reject patterns that can be slow in a backtracking engine: much repetition, or many ways to match a text."""
        least, most = int(found[1] or 0), int(found[3] or found[1] or 1)
        if found[0] in "*+" or found[2] == ",":
            self.unbounded += 1
        else:
            self.ways *= most - least + 1
        if most < least or max(least, most) > MOST_REPEATS:
            raise self.refusal(f"the quantifier {found[0]} (at most {MOST_REPEATS})")
        if self.unbounded > MOST_UNBOUNDED:
            raise self.refusal(f"more than {MOST_UNBOUNDED} unbounded quantifiers")
        if self.ways > MOST_WAYS:
            raise self.refusal("so many optional parts")

    def refusal(self, what: str, position: int | None = None) -> UnsupportedPattern:
        place = (self.position if position is None else position) + 1
        return UnsupportedPattern(f"{what} at position {place} is not supported in a regular expression")


def _literal(character: str) -> str:
    """Escape a character so that it matches itself, inside a class and outside."""
    if not character.isascii() or character.isalnum() or character in "_ ":
        return character
    return f"\\{character}" if character.isprintable() else f"\\x{ord(character):02x}"
