"""Reads sort, offset and limit, and builds the links from a page to other pages (TMF630 part 1; RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tmf_sales.contract.attributes import Attributes
from tmf_sales.errors import InvalidParameter
from tmf_sales.query.names import listed_names, not_a_name, path_of, reject_unmatchable
from tmf_sales.storage.conditions import Path, Sort
from tmf_sales.values.messages import shown

LARGEST_OFFSET = 2**53 - 1
MOST_SORT_KEYS = 8
_DIGITS = re.compile(r"[0-9]{1,16}")
# Matches all but the characters allowed in a query (RFC 3986, 3.4) and the percent sign of an existing encoding.
_UNSAFE_IN_QUERY = re.compile(r"[^%!$&'()*+,;=:@/?._~A-Za-z0-9-]")


@dataclass(frozen=True, slots=True)
class Paging:
    """The page sizes of an operation.

    `count_limit`: matches are counted exactly up to this number. `size_limit`: bytes of a page. 0: no limit.
    """

    default_limit: int = 100
    largest_limit: int = 1000
    count_limit: int = 0
    size_limit: int = 0


def read_number(name: str, values: list[str], largest: int) -> int | None:
    """Read offset or limit, which may be given once; None when it is missing."""
    if not values:
        return None
    if len(values) > 1:
        raise InvalidParameter(f"{name}: is given more than once")
    if not _DIGITS.fullmatch(values[0]) or int(values[0]) > largest:
        raise InvalidParameter(f"{name}: {shown(values[0])} is not an integer from 0 to {largest}")
    return int(values[0])


def read_sort(values: Iterable[str], attributes: Attributes, *, strict: bool) -> tuple[Sort, ...]:
    """The sort keys of all `sort` parameters together; a repeated name counts only the first time."""
    names = [name for value in values for name in listed_names(value)]
    if len(names) > MOST_SORT_KEYS:
        raise InvalidParameter(f"sort: more than {MOST_SORT_KEYS} names")
    keys: dict[Path, Sort] = {}
    for name in names:
        key = _sort_key(name, attributes, strict=strict)
        keys.setdefault(key.path, key)
    return tuple(keys.values())


def _sort_key(name: str, attributes: Attributes, *, strict: bool) -> Sort:
    # A `+` that was not encoded arrived as a blank and has been stripped.
    path = path_of(name[1:] if name[0] in "+-" else name)
    if path is None:
        raise InvalidParameter(f"sort: {not_a_name(name)}")
    reject_unmatchable("sort", name, path, attributes)
    attribute = attributes.at(path)
    if attribute is None and strict:
        raise InvalidParameter(f"sort: {shown(name)} is not an attribute of this resource")
    on_the_way = [attributes.at(path[:length]) for length in range(1, len(path) + 1)]
    if any(each and each.through_list for each in on_the_way) or (attribute and attribute.type == "object"):
        raise InvalidParameter(f"sort: {shown(name)} has no order, as it is not a single value")
    return Sort(
        path, descending=name.startswith("-"), always_present=attribute is not None and attribute.always_present
    )


def in_url(query: str) -> str:
    """A raw query string (latin-1) for a URI: percent-encodes the characters that a URI may not contain."""
    return _UNSAFE_IN_QUERY.sub(lambda found: f"%{ord(found[0]):02X}", query)


def page_links(
    others: str, offset: int, limit: int, returned: int, total: int, *, exact: bool, is_cut: bool = False
) -> Iterator[tuple[str, str]]:
    """The relation and query string of each link to another page. `others`: the parameters that all links keep.

    Without `exact`, `total` is a lower bound. `is_cut`: the page ended early, because of its size. `last` is a page
    that repeated `next` reaches, or starts at the first resource when none of those pages has one.
    """

    def page(start: int) -> str:
        own = f"offset={start}&limit={limit}"
        return f"{others}&{own}" if others else own

    yield "first", page(0)
    if limit == 0:
        return
    phase = offset % limit
    last = phase + (total - 1 - phase) // limit * limit if total > phase else 0
    if offset > 0:
        yield "prev", page(max(min(offset - limit, last) if exact else offset - limit, 0))
    if is_cut:
        yield "next", page(offset + returned)
    elif offset + returned < total or (not exact and returned == limit):
        yield "next", page(offset + limit)
    if exact:
        yield "last", page(last)
