"""Numbers of versions, and the ids of paths that name one."""

from __future__ import annotations

import pytest

from tmf_sales.engine.versions import highest_first, next_after, number_of, split_id
from tmf_sales.errors import InvalidParameter
from tmf_sales.storage.records import Version


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", (1,)),
        ("1.0", (1,)),
        ("01", (1,)),
        ("1.0.0", (1,)),
        ("1.10", (1, 10)),
        ("0", (0,)),
        ("0.0", (0,)),
        ("0.1", (0, 1)),
    ],
)
def test_a_version_is_its_parts_without_zeros_at_the_end(text: str, number: tuple[int, ...]) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize("text", ["", ".", "1.", ".1", "1..1", "a", "-1", "+1", " 1", "1\n", "\u0661", "1" * 65])
def test_anything_else_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        number_of(text)


def test_versions_are_compared_part_by_part() -> None:
    ordered = ["0.9", "1", "1.0.1", "1.2", "1.9", "1.10", "2", "10"]

    assert sorted(ordered, key=number_of) == ordered


@pytest.mark.parametrize(
    ("path", "id", "number"),
    [
        ("X", "X", None),
        ("X:(version=1.0)", "X", (1,)),
        ("X(Version=1.0)", "X", (1,)),
        ("X (version=2.1)", "X", (2, 1)),
        ("X (x):(version=2)", "X (x)", (2,)),
        ("X:(version=1):(version=2)", "X:(version=1)", (2,)),
        ("a\nb(version=1)", "a\nb", (1,)),
        ("(version=1)", "(version=1)", None),
        ("X:(VERSION=1)", "X:(VERSION=1)", None),
        ("X:(version=1", "X:(version=1", None),
        ("X:(version=(1))", "X:(version=(1))", None),
    ],
)
def test_an_id_may_name_a_version(path: str, id: str, number: tuple[int, ...] | None) -> None:
    assert split_id(path) == (id, number)


@pytest.mark.parametrize("path", ["X:(version=)", "X:(version=a)", "X(Version=1.)"])
def test_an_id_with_no_version_in_its_place_is_refused(path: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^id: "):
        split_id(path)


def stored(*numbers: str) -> list[Version]:
    return [Version(1, {"version": number}) for number in numbers]


def test_the_current_version_is_the_highest() -> None:
    ordered = highest_first(stored("1", "1.10", "1.9"), "version")

    assert [version.document["version"] for version in ordered] == ["1.10", "1.9", "1"]


def test_the_next_version_is_one_above_the_first_part_of_the_highest() -> None:
    assert next_after(stored("3.7", "1"), "version") == "4"
