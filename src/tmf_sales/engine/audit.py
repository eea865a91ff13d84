"""Builds the audit entries of the log: who changed which members of each resource.

An entry is written together with the change and is never sent to subscriptions. It holds names and JSON pointers, but
no values of the resource and no credentials.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from tmf_sales.engine.request import Request
from tmf_sales.events.envelope import EventContext
from tmf_sales.storage.events import AUDIT_RECORD
from tmf_sales.storage.records import Document
from tmf_sales.values.json_values import same_json
from tmf_sales.values.messages import VIOLATION_LIMIT, json_pointer

PATHS_KEPT = 5 * VIOLATION_LIMIT
PATH_LIMIT = 200


def audit_entry(
    request: Request, context: EventContext, before: Document, after: Document, version_member: str | None = None
) -> Document:
    """The entry for one change of one version; the log adds the resource's kind, id and revision.

    {} stands for a document that did not exist before, or no longer exists; the entry then lists no changed paths.
    """
    entry: Document = {
        "eventId": context.new_id(),
        "eventTime": context.now,
        "eventType": AUDIT_RECORD,
        "correlationId": context.correlation_id,
        "subject": request.principal.subject,
        "roles": sorted(request.principal.roles),
        "operation": request.operation_id,
    }
    if version_member is not None:
        entry["version"] = (after or before)[version_member]
    if before and after:
        entry["changed"] = [path[:PATH_LIMIT] for path in islice(changed_paths(before, after), PATHS_KEPT)]
    return entry


def changed_paths(before: Any, after: Any, place: tuple[str | int, ...] = ()) -> Iterator[str]:
    """JSON pointers to the differences, as deep as the structures agree; list elements are compared by position."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _changed_at(name, before, after, place, name in before and name in after)
    elif isinstance(before, list) and isinstance(after, list):
        for number in range(max(len(before), len(after))):
            yield from _changed_at(number, before, after, place, number < min(len(before), len(after)))
    elif not same_json(before, after):
        yield json_pointer(place)


def _changed_at(
    step: str | int, before: Any, after: Any, place: tuple[str | int, ...], is_in_both: bool
) -> Iterator[str]:
    if is_in_both:
        yield from changed_paths(before[step], after[step], (*place, step))
    else:
        yield json_pointer((*place, step))
