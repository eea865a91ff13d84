"""The closed subset of regular expressions: what it takes means the same everywhere, the rest is refused."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tmf_sales.query.regex import UnsupportedPattern, checked_pattern
from tmf_sales.storage.evaluate import has_match


@pytest.mark.parametrize(
    ("pattern", "checked"),
    [
        ("abc", "abc"),
        ("^abc$", "^abc$"),
        ("^", "^"),
        ("$", "$"),
        ("a.c", "a.c"),
        ("a*b+c?", "a*b+c?"),
        ("a{3}b{2,5}c{4,}", "a{3}b{2,5}c{4,}"),
        ("[a-c]x[^0-9_]", "[a-c]x[^0-9_]"),
        ("[-a]", r"[\-a]"),
        ("[a-]", r"[a\-]"),
        ("[a-c-e]", r"[a-c\-e]"),
        (r"[a\-z]", r"[a\-z]"),
        (r"[\]\\^]", r"[\]\\\^]"),
        ("[.*+$]", r"[\.\*\+\$]"),
        (r"a\.b\$", r"a\.b\$"),
        ("a,b;c#d~", r"a\,b\;c\#d\~"),
        ("]}", r"\]\}"),
        ("é\u2028", "é\u2028"),
        ("a\tb\n", r"a\x09b\x0a"),
        ("é{2}", "é{2}"),
    ],
)
def test_the_subset_is_written_anew(pattern: str, checked: str) -> None:
    assert checked_pattern(pattern) == checked
    has_match(checked, "")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "the pattern is empty"),
        ("a" * 101, "the pattern is longer than 100 characters"),
        ("(a+)+$", "'(' at position 1"),
        ("(a|aa)+$", "'(' at position 1"),
        ("(.|a)*b", "'(' at position 1"),
        ("a|b", "'|' at position 2"),
        ("a)", "')' at position 2"),
        ("a^b", "'^' at position 2"),
        ("a$b", "'$' at position 2"),
        ("^*", "'*' at position 2"),
        ("*a", "'*' at position 1"),
        ("+", "'+' at position 1"),
        ("?", "'?' at position 1"),
        ("{2}", "'{' at position 1"),
        ("a{,3}", "'{' at position 2"),
        ("a{x}", "'{' at position 2"),
        ("a$*", "'$' at position 2"),
        ("a*?", "a second quantifier at position 3"),
        ("a++", "a second quantifier at position 3"),
        ("a{2}{3}", "a second quantifier at position 5"),
        (r"\d", "the escape '\\\\d' at position 1"),
        (r"a\1", "the escape '\\\\1' at position 2"),
        (r"\_", "the escape '\\\\_' at position 1"),
        ("a\\", "the escape '\\\\' at position 2"),
        (r"[\w]", "the escape '\\\\w' at position 2"),
        ("[]", "a character class that is empty, not closed or nested at position 1"),
        ("[a", "a character class that is empty, not closed or nested at position 1"),
        ("a[[:alpha:]]", "a character class that is empty, not closed or nested at position 2"),
        ("[z-a]", "the range 'z-a' at position 1"),
        ("a{5,2}", "the quantifier {5,2} (at most 100) at position 2"),
        ("a{101}", "the quantifier {101} (at most 100) at position 2"),
        ("a{999,}", "the quantifier {999,} (at most 100) at position 2"),
        ("a*b*c*d*", "more than 3 unbounded quantifiers at position 8"),
        ("a+b{2,}c*d+", "more than 3 unbounded quantifiers at position 11"),
        ("a?" * 10, "so many optional parts at position 20"),
        ("a{0,50}b{0,50}", "so many optional parts at position 9"),
    ],
)
def test_everything_else_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(UnsupportedPattern) as refusal:
        checked_pattern(pattern)
    suffix = " is not supported in a regular expression" if "position" in message else ""
    assert str(refusal.value) == message + suffix


def test_the_largest_repetition_still_compiles() -> None:
    for pattern in (".{100}" * 14, "[^a]{100}" * 11):
        assert not has_match(checked_pattern(pattern), "")


REPEATABLE = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

# In this alphabet, Python's dialect agrees with the subset.
_ATOMS = st.sampled_from(["a", "b", "é", ".", "[ab]", "[^a]", "[a-c]", r"\.", r"\-", "-", " ", ",", "\n"])
_PARTS = st.tuples(_ATOMS, st.sampled_from(["", "", "", "?", "{2}", "{0,2}"])).map("".join)
_PATTERNS = st.tuples(
    st.sampled_from(["", "^"]), st.lists(_PARTS, min_size=1, max_size=6).map("".join), st.sampled_from(["", "$"])
).map("".join)


@REPEATABLE
@given(_PATTERNS, st.text(alphabet="abcé.- \n", max_size=12))
def test_patterns_mean_what_they_say(pattern: str, text: str) -> None:
    expected = re.search(pattern.removesuffix("$") + (r"\Z" if pattern.endswith("$") else ""), text) is not None
    assert has_match(checked_pattern(pattern), text) == expected


@REPEATABLE
@given(st.text(max_size=110))
def test_any_text_is_a_pattern_or_refused(pattern: str) -> None:
    try:
        checked = checked_pattern(pattern)
    except UnsupportedPattern:
        return
    has_match(checked, "")
