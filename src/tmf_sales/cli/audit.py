"""`tmf-sales audit`: who changed a resource, and what of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tmf_sales.cli.context import Context, on_one_line, run
from tmf_sales.cli.options import setting_options

if TYPE_CHECKING:
    from tmf_sales.storage.protocol import Document

LIMIT = 10_000


@click.command()
@setting_options("store")
@click.option("--id", "id", required=True, metavar="ID", help="The resource, or the listener.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def audit(id: str, as_json: bool, **options: Any) -> None:
    """Show who changed a resource, the oldest change first; as far back as the log of events goes."""
    for entry in run(options, lambda found: entries_of(found, id)):
        click.echo(json.dumps(entry, ensure_ascii=True) if as_json else shown(entry))


async def entries_of(found: Context, id: str) -> list[Document]:
    from tmf_sales.app import audited_kinds, contracts_folder
    from tmf_sales.contract.loader import load_contracts
    from tmf_sales.events.audit_log import trail_of

    kinds = sorted(audited_kinds(load_contracts(contracts_folder())))
    trails = [await trail_of(found.events, kind, id, LIMIT) for kind in kinds]
    return [entry.shown() for trail in trails for entry in trail]


def shown(entry: Document) -> str:
    version = f"version {entry['version']}" if "version" in entry else "-"
    told = (entry["operation"], entry["subject"], ",".join(entry["roles"]), f"revision {entry['revision']}", version)
    changed = ",".join(entry.get("changed", ()))
    return "  ".join([entry["eventTime"], *map(on_one_line, told), on_one_line(changed or "-"), entry["correlationId"]])
