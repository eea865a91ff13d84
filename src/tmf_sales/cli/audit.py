"""`tmf-sales audit`: shows who changed a resource, and which members."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tmf_sales.cli.context import on_one_line, run
from tmf_sales.cli.options import NothingFound, store_options

if TYPE_CHECKING:
    from tmf_sales.app.context import Context
    from tmf_sales.storage.records import Document

LIMIT = 10_000


@click.command()
@store_options
@click.option("--id", "id", required=True, metavar="ID", help="Id of a resource or subscription.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line.")
def audit(id: str, as_json: bool, **options: Any) -> None:
    """Show who changed a resource, oldest change first, as far back as audit records are kept."""
    entries = run(options, lambda found: entries_of(found, id))
    for entry in entries:
        click.echo(json.dumps(entry, ensure_ascii=True) if as_json else shown(entry))
    if not entries:
        click.echo(f"no change of {id!a} is recorded; changes are recorded only while auditing is on", err=True)


async def entries_of(found: Context, id: str) -> list[Document]:
    """The audit entries of a resource; raises NothingFound when neither the log nor the store has this id."""
    from tmf_sales.app.context import audited_kinds
    from tmf_sales.events.audit_log import trail_of

    known = audited_kinds(found.apis)
    kinds = sorted(known.union(await found.store.unknown_kinds()))
    trails = [await trail_of(found.events, kind, id, LIMIT) for kind in kinds]
    entries = [entry.shown() for trail in trails for entry in trail]
    if not entries and not any([await found.store.get(kind, id) for kind in sorted(known)]):
        raise NothingFound(f"no resource and no subscription has the id {id!a}, and the log has no change of it")
    return entries


def shown(entry: Document) -> str:
    version = f"version {entry['version']}" if "version" in entry else "-"
    cells = (entry["operation"], entry["subject"], ",".join(entry["roles"]), f"revision {entry['revision']}", version)
    changed = ",".join(entry.get("changed", ()))
    return "  ".join(
        [entry["eventTime"], *map(on_one_line, cells), on_one_line(changed or "-"), entry["correlationId"]]
    )
