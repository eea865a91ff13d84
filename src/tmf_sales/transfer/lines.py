"""Writes and reads the lines of an export.

A line is `{"kind", "id", "revision", "versions": [{"revision", "document"}, ...]}`, with the current version first.
`read` returns exactly what `written` has written, and rejects any other line with the reason.
"""

from __future__ import annotations

from typing import Any

import orjson

from tmf_sales.contract.schemas import SchemaCheck
from tmf_sales.errors import MalformedBody
from tmf_sales.http.json_body import DEPTH_LIMIT, parse_json_body
from tmf_sales.storage.records import Record, Version
from tmf_sales.values.messages import list_violations, shown

LEVELS_AROUND_DOCUMENT = 3
REVISION = {"type": "integer", "minimum": 1}
LINE = {
    "type": "object",
    "required": ["kind", "id", "revision", "versions"],
    "additionalProperties": False,
    "properties": {
        "kind": {"type": "string"},
        "id": {"type": "string", "minLength": 1},
        "revision": REVISION,
        "versions": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["revision", "document"],
                "additionalProperties": False,
                "properties": {"revision": REVISION, "document": {"type": "object"}},
            },
        },
    },
}
_check = SchemaCheck(LINE)


class BadLine(Exception):
    """Raised when a line is invalid; its text is the reason."""


def written(kind: str, record: Record) -> bytes:
    """Return the line of a resource, with its line break; documents are written as they are stored."""
    versions = b",".join(b'{"revision":%d,"document":%b}' % (each.revision, each.text) for each in record.versions)
    head = orjson.dumps({"kind": kind, "id": record.id, "revision": record.revision})
    return b'%b,"versions":[%b]}\n' % (head[:-1], versions)


def read(line: bytes) -> tuple[str, Record]:
    """Return the kind and the resource; raises BadLine."""
    try:
        value: Any = parse_json_body(line, DEPTH_LIMIT + LEVELS_AROUND_DOCUMENT, len(line))
    except MalformedBody as error:
        raise BadLine(error.message.removeprefix("line 1, ").replace("the body", "the line")) from None
    if violations := _check.violations(value):
        raise BadLine(list_violations(violations, "the line"))
    versions = tuple(Version(each["revision"], each["document"]) for each in value["versions"])
    record = Record(value["id"], value["revision"], versions)
    _reject_contradictions(record)
    return value["kind"], record


def _reject_contradictions(record: Record) -> None:
    for number, version in enumerate(record.versions):
        if version.revision > record.revision:
            raise BadLine(f"/versions/{number}/revision: {version.revision} is more than /revision")
        if version.document.get("id") != record.id:
            raise BadLine(f"/versions/{number}/document/id: is not {shown(record.id)}, as /id is")
