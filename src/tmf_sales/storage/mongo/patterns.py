"""Writes regular expressions for MongoDB's PCRE: literal text, case-sensitive or not, and translated RE2 patterns."""

from __future__ import annotations

from tmf_sales.storage.case_folding import case_variants
from tmf_sales.storage.conditions import TextOperator

END_OF_TEXT = "(?![\\s\\S])"
SPECIAL = frozenset("\\^$.|?*+()[]{}")


def literal_pattern(text: str) -> str:
    """Return a pattern that matches `text` and nothing else; BSON allows no NUL in a pattern."""
    return "".join("\\x00" if letter == "\0" else f"\\{letter}" if letter in SPECIAL else letter for letter in text)


def prefix_pattern(text: str) -> str:
    """Return a pattern for texts that start with `text`; in this form MongoDB can use an index."""
    return f"^{literal_pattern(text)}"


def text_pattern(operator: TextOperator, text: str, *, ignore_case: bool) -> str:
    """Return a pattern for `operator`; with `ignore_case` a letter matches all that fold like it (see case_folding)."""
    pattern = "".join(map(_any_case, text)) if ignore_case else literal_pattern(text)
    start = "^" if operator in (TextOperator.EQ, TextOperator.STARTS_WITH) else ""
    end = END_OF_TEXT if operator in (TextOperator.EQ, TextOperator.ENDS_WITH) else ""
    return f"{start}{pattern}{end}"


def _any_case(letter: str) -> str:
    variants = case_variants(letter)
    return f"[{variants}]" if len(variants) > 1 else literal_pattern(letter)


def to_pcre(pattern: str) -> str:
    """Translate a pattern of the RE2 subset to PCRE, where `$` would also match before a newline at the end."""
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
            # A bracket in a class is literal in RE2; Python's `re` would warn of a nested set.
            written.append("\\[" if letter == "[" else letter)
            if letter == "]" and pattern[class_opened_at + 1 : position] not in ("", "^"):
                class_opened_at = None
        else:
            if letter == "[":
                class_opened_at = position
            written.append(END_OF_TEXT if letter == "$" else letter)
    return "".join(written).replace("\0", "\\x00")
