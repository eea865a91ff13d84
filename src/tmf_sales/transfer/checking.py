"""Checks whether an imported resource is one that this release could have stored itself, by its contract.

A resource that passes can be read, searched and patched like any other; its date-times are normalized.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import orjson

from tmf_sales.contract.loader import Contract
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.contract.schemas import SchemaCheck
from tmf_sales.engine import versions
from tmf_sales.engine.normalize import normalize
from tmf_sales.engine.representation import with_href
from tmf_sales.events.subscription import UnreadableSubscription, read_subscription
from tmf_sales.events.subscriptions import SUBSCRIPTION
from tmf_sales.storage.protocol import RecordTooLarge, reject_too_large_record
from tmf_sales.storage.records import Document, Record
from tmf_sales.transfer.lines import BadLine
from tmf_sales.values.json_values import BAD_NAME, bad_names
from tmf_sales.values.messages import list_violations, shown

Check = Callable[[Record], None]
"""Raises BadLine when the resource cannot be taken; may bring its documents into form."""

MARKS_OF_BAD_NAMES = (b'"$', b'".', b"\\u0000")
ANY_HREF = "http://localhost"
TEXTS = {"type": "array", "items": {"type": "string"}}
LISTENER_SCHEMA = {
    "type": "object",
    "required": ["id", "api", "callback", "query"],
    "properties": {
        "api": {"type": "string"},
        "callback": {"type": "string"},
        "query": {"type": ["string", "null"]},
        "secrets": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["text", "until"],
                "properties": {"text": {"type": "string"}, "until": {"type": ["number", "null"]}},
            },
        },
        "failingSince": {"type": ["number", "null"]},
        "disabled": {"type": ["string", "null"]},
        "owner": {
            "type": "object",
            "required": ["subject", "roles", "parties"],
            "properties": {"subject": {"type": "string"}, "roles": TEXTS, "parties": TEXTS},
        },
    },
}


def moved_kinds(contracts: Sequence[Contract]) -> tuple[str, ...]:
    """Return the kinds that are exported and imported, in order: the contracts' resources and the subscriptions."""
    return tuple(sorted({SUBSCRIPTION, *(type.kind for contract in contracts for type in contract.resources.values())}))


def earlier_names(contracts: Sequence[Contract]) -> Mapping[str, str]:
    """Map the name of a kind in exports of release 0.1 to its present name."""
    stored = [type.stored_kind() for contract in contracts for type in contract.resources.values()]
    return {kind.earlier_name: kind.name for kind in reversed(stored) if kind.earlier_name}


def checks(contracts: Sequence[Contract], *, by_contract: bool = True) -> Mapping[str, Check]:
    """Return the check of each kind that is moved; without `by_contract`, documents are not validated."""
    found: dict[str, Check] = {SUBSCRIPTION: _subscription_check()}
    for contract in contracts:
        for type in contract.resources.values():
            found[type.kind] = _resource_check(contract, type, by_contract)
    return found


def _resource_check(contract: Contract, type: ResourceType, by_contract: bool) -> Check:
    full = contract.document["components"]["schemas"][type.name].get("x-full", type.name)
    # A service in lenient mode stores documents of the relaxed schema, and every mode must import its export.
    schemas = (type.relaxed_after_patch(), contract.schemas.check({"$ref": f"#/components/schemas/{full}"}))

    def check(record: Record) -> None:
        for number, version in enumerate(record.versions if by_contract else ()):
            _reject_bad_names(version.document, f"/versions/{number}/document")
            _reject_document(version.document, type, schemas, f"/versions/{number}/document")
        _reject_disorder(record, type.version_member)
        _reject_too_large(record)

    return check


def _reject_bad_names(document: Document, place: str) -> None:
    """Reject member names that no request body may have: a line may have been written by hand."""
    text = orjson.dumps(document)
    if any(mark in text for mark in MARKS_OF_BAD_NAMES):
        for name in bad_names(document):
            raise BadLine(f"{place}: the member name {shown(name)} {BAD_NAME}")


def _reject_document(document: Document, type: ResourceType, schemas: Sequence[SchemaCheck], place: str) -> None:
    if "href" in document:
        raise BadLine(f"{place}/href: is not stored; it is made when the resource is shown")
    seen = with_href(document, ANY_HREF)
    violations = next(filter(None, (schema.violations(seen) for schema in schemas)), [])
    if violations := violations or normalize(document, type.object_type):
        raise BadLine(f"{place}: {list_violations(violations, 'the document')}")


def _reject_disorder(record: Record, member: str | None) -> None:
    if member is None:
        if len(record.versions) > 1:
            raise BadLine("/versions: this kind has just one")
        return
    try:
        numbers = [versions.number_of(str(version.document.get(member))) for version in record.versions]
    except ValueError as error:
        raise BadLine(f"/versions: {member}: {error}") from None
    if any(upper <= lower for upper, lower in pairwise(numbers)):
        raise BadLine(f"/versions: are not in the order of their {member}, the highest first, each once")


def _reject_too_large(record: Record) -> None:
    try:
        reject_too_large_record(record.versions)
    except RecordTooLarge as error:
        raise BadLine(f"is too large with all its versions: {error}") from None


def _subscription_check() -> Check:
    schema = SchemaCheck(LISTENER_SCHEMA)

    def check(record: Record) -> None:
        if violations := schema.violations(record.current.document):
            raise BadLine(f"/versions/0/document: {list_violations(violations, 'the document')}")
        try:
            read_subscription(record.current.document)
        except UnreadableSubscription as error:
            raise BadLine(f"/versions/0/document: {error}") from None
        _reject_disorder(record, None)

    return check
