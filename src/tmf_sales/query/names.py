"""Parses the dotted names in queries and rejects names that cannot match, with suggestions.

A step is a plain name, or any name in quotation marks (`ext."a.b"`), inside which a `"` is doubled. A name below a
scalar of the contract, or one that looks like a misspelt parameter, is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from tmf_sales.contract.attributes import Attribute, Attributes
from tmf_sales.errors import InvalidParameter
from tmf_sales.storage.conditions import Path
from tmf_sales.values.messages import shown

LONGEST_NAME = 2000  # the length allowed for the whole `fields` parameter
MOST_STEPS = 10
RESERVED = frozenset({"fields", "offset", "limit", "sort", "filter", "depth", "expand"})
OPERATORS = {
    "eq": "eq", "ne": "ne", "in": "in", "nin": "nin", "eqi": "eq", "nei": "ne", "ini": "in", "nini": "nin",
    "gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte", "between": "between",
    "contains": "contains", "startswith": "startswith", "endswith": "endswith",
    "containsi": "contains", "startswithi": "startswith", "endswithi": "endswith",
    "regex": "regex", "exists": "exists", "isnull": "isnull",
}  # fmt: skip
"""The suffixes that are operators, and what each is without its final `i`, which ignores case."""
TYPE_NAMES = {
    "string": "text",
    "number": "a number",
    "integer": "a number",
    "boolean": "a boolean",
    "date-time": "a date-time",
    "object": "an object",
    "any": "any value",
}
_OTHER_WORDS = {
    "page": "offset and limit", "pagenumber": "offset and limit", "pageno": "offset and limit",
    "perpage": "limit", "pagesize": "limit", "size": "limit", "top": "limit",
    "start": "offset", "skip": "offset",
    "order": "sort", "orderby": "sort", "sortby": "sort",
    "q": "a filter, such as name.containsi=text",
}  # fmt: skip
"""The paging and control words of other systems, without `_`, `-` and `$`, and what stands for them here."""

_STEP = r'[@A-Za-z_][A-Za-z0-9_@-]*|"(?!\$)[^"\0]*(?:""[^"\0]*)*"'
_PATH = re.compile(rf"(?:{_STEP})(?:\.(?:{_STEP})){{0,{MOST_STEPS - 1}}}")
_ONE_STEP = re.compile(_STEP)
_LIKE_STEP = "[A-Za-z0-9_@][A-Za-z0-9_@:-]{0,30}"
_PLAIN_BUT_FOR_MARKS = re.compile(rf"{_LIKE_STEP}(?:\.{_LIKE_STEP}){{0,{MOST_STEPS - 1}}}")
_ENCLOSED = re.compile(r'"[^"]*(?:""[^"]*)*"')
_LISTED_NAME = re.compile(r'(?:"[^"]*(?:""[^"]*)*"|[^",]|")*+')


class NameProblem(ValueError):
    """Raised for a name that cannot match; the message says what exists there, or what was probably meant."""


def path_of(name: str) -> Path | None:
    """Parse a dotted name of at most 10 steps and 2,000 characters; None when it is not a valid name."""
    if len(name) > LONGEST_NAME or not _PATH.fullmatch(name):
        return None
    if '"' not in name:
        return tuple(name.split("."))
    return tuple(_plain_text(step) for step in _ONE_STEP.findall(name))


def dotted(path: Path) -> str:
    """The path as a client writes it, with quotation marks where needed."""
    return ".".join(step if _plain(step) else '"{}"'.format(step.replace('"', '""')) for step in path)


def listed_names(text: str) -> Iterator[str]:
    """Split at commas, strip the names and skip empty ones; a comma inside quotation marks is part of the name."""
    position = 0
    while position <= len(text):
        found = _LISTED_NAME.match(text, position)
        position = (found.end() if found else len(text)) + 1
        if found and (name := found[0].strip()):
            yield name


def not_a_name(name: str) -> str:
    """The error message for a name that is not a valid path."""
    bare = _bare(name)
    if name.startswith("$") and (
        cure := {"select": "fields", **_OTHER_WORDS}.get(bare, bare if bare in RESERVED else "")
    ):
        return f"{shown(name)} is not a parameter here: use {cure}"
    if name.startswith("criteria["):
        return f"{shown(name)}: write each filter as a separate parameter, such as state=value"
    hint = f"; write {dotted(tuple(name.split('.')))}" if _PLAIN_BUT_FOR_MARKS.fullmatch(name) else ""
    return f"{shown(name)} is not the name of an attribute{hint}"


def reject_members_of_scalars(path: Path, attributes: Attributes) -> None:
    """Raises NameProblem for a name below an attribute that the contract knows as a scalar."""
    for length in range(1, len(path)):
        attribute = attributes.at(path[:length])
        if attribute is not None and attribute.type not in {"object", "any"}:
            raise NameProblem(_below_a_scalar(dotted(path[:length]), attribute, path[length:]))


def _below_a_scalar(name: str, attribute: Attribute, rest: Path) -> str:
    known = f"{shown(name)} is {TYPE_NAMES[attribute.type]} and has no members"
    if attribute.enum:
        known = f"{known}; its values are {', '.join(attribute.enum)}"
    word = rest[0].lower() if len(rest) == 1 else ""
    near = [word] if word in OPERATORS else [operator for operator in OPERATORS if _one_edit_apart(word, operator)]
    return f"{known}; did you mean {_choice(f'.{each}' for each in near)}?" if near else known


def reject_misspelt_attribute(path: Path, attributes: Attributes) -> None:
    """Raises NameProblem for a name that differs from an attribute only in case."""
    for length, wanted in enumerate(path):
        known = attributes.members(path[:length])
        if wanted in known:
            continue
        for name in known:
            if name.lower() == wanted.lower():
                raise NameProblem(f"names are case-sensitive; did you mean {dotted((*path[:length], name))}?")
        return


def reject_unmatchable(parameter: str, name: str, path: Path, attributes: Attributes) -> None:
    """Raises InvalidParameter for a listed name that no resource can have, or whose case is wrong."""
    try:
        reject_members_of_scalars(path, attributes)
        if '"' not in name:
            reject_misspelt_attribute(path, attributes)
    except NameProblem as problem:
        raise InvalidParameter(f"{parameter}: {shown(name)}: {problem}") from None


def reject_misspelt_parameter(name: str, *, words: bool = True) -> None:
    """Raises NameProblem for a misspelt parameter (case, or one edit); with `words` also for those of other APIs."""
    near = sorted(each for each in RESERVED if each == name.lower()) or sorted(
        each for each in RESERVED if _one_edit_apart(name.lower(), each)
    )
    cure = f"{name}.eq=value filters by an attribute of this name"
    if near:
        raise NameProblem(f"did you mean {_choice(near)}? {cure}" if words else f"did you mean {_choice(near)}?")
    if not words:
        return
    if _bare(name) == "pretty":
        raise NameProblem(f"is not a parameter here, which has fields, limit, offset, sort and filter; {cure}")
    if word := _OTHER_WORDS.get(_bare(name)):
        raise NameProblem(f"is not a parameter here: use {word}; {cure}")
    if name == "criteria":
        raise NameProblem("write each filter as a separate parameter, such as state=value; " + cure)


def reject_undeclared_parameters(given: Iterable[str], declared: Collection[str]) -> None:
    """Raises InvalidParameter for a parameter that an operation does not declare, or that is given twice.

    For operations without filters, where every name is a parameter.
    """
    seen: set[str] = set()
    for name in given:
        if name not in declared:
            raise InvalidParameter(f"{shown(name)} is not a parameter here{_declared_instead(name, declared)}")
        if name in seen:
            raise InvalidParameter(f"{name}: is given more than once")
        seen.add(name)


def _declared_instead(name: str, declared: Collection[str]) -> str:
    word = name.lower()
    near = [each for each in declared if each.lower() == word or _one_edit_apart(word, each.lower())]
    if near:
        return f"; did you mean {_choice(near)}?"
    return f", where there is only {' and '.join(declared)}" if declared else ", where there are none: leave it out"


def _bare(name: str) -> str:
    return re.sub(r"[_$-]", "", name).lower()


def _choice(names: Iterable[str]) -> str:
    return " or ".join(names)


def _one_edit_apart(one: str, other: str) -> bool:
    """Whether one letter is added, missing or different, or two neighbours are swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _plain(step: str) -> bool:
    return _ONE_STEP.fullmatch(step) is not None and not step.startswith('"')


def _plain_text(step: str) -> str:
    return step[1:-1].replace('""', '"') if step.startswith('"') else step
