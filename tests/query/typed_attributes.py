"""A resource's attributes for the tests of the query language: one of each type, lists and lists in lists."""

from collections.abc import Collection
from typing import ClassVar

from tmf_sales.contract.attributes import Attribute
from tmf_sales.query.query import parse_query
from tmf_sales.storage.conditions import Condition, Path

STATES = ("open", "held", "done")

_PARTY: dict[Path, Attribute] = {
    (): Attribute("object", through_list=True),
    ("id",): Attribute("string", through_list=True),
    ("role",): Attribute("string", through_list=True),
    ("age",): Attribute("integer", through_list=True),
    ("since",): Attribute("date-time", through_list=True),
    ("active",): Attribute("boolean", through_list=True),
    ("@type",): Attribute("string", through_list=True),
    ("@referredType",): Attribute("string", through_list=True),
    ("contact",): Attribute("object", through_list=True),
    ("contact", "city"): Attribute("string", through_list=True),
}


class Untyped:
    """Attributes of documents that no contract describes: every operand is read in all ways that it allows."""

    def at(self, path: Path) -> Attribute | None:
        return None

    def members(self, path: Path) -> Collection[str]:
        return ()


class Resource:
    """What a contract says of a resource; everything else is unknown."""

    known: ClassVar[dict[Path, Attribute]] = {
        ("id",): Attribute("string", always_present=True),
        ("name",): Attribute("string"),
        ("limit",): Attribute("string"),
        ("version",): Attribute("string", always_present=True),
        ("state",): Attribute("string", enum=STATES, always_present=True),
        ("created",): Attribute("date-time", always_present=True),
        ("count",): Attribute("integer"),
        ("price",): Attribute("number"),
        ("urgent",): Attribute("boolean"),
        ("anything",): Attribute("any"),
        ("tag",): Attribute("string", through_list=True),
        ("period",): Attribute("object"),
        ("period", "end"): Attribute("date-time"),
        **{("party", *path): attribute for path, attribute in _PARTY.items()},
    }

    def at(self, path: Path) -> Attribute | None:
        return self.known.get(path)

    def members(self, path: Path) -> Collection[str]:
        return {known[len(path)] for known in self.known if len(known) > len(path) and known[: len(path)] == path}


RESOURCE = Resource()


def where(raw: str, *, strict: bool = False) -> Condition:
    return parse_query(raw, RESOURCE, strict=strict).query.where
