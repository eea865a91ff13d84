"""`tmf-sales party`: exports or erases the personal data of a party."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from tmf_sales.cli.context import on_one_line, run
from tmf_sales.cli.export import partial_file
from tmf_sales.cli.options import NothingFound, Refused, setting_options, store_options

if TYPE_CHECKING:
    from tmf_sales.app.context import Context
    from tmf_sales.privacy.erasure import Erased
    from tmf_sales.privacy.party import PartyData

PLACES_SHOWN = 100


@click.group()
def party() -> None:
    """Export or erase the personal data of a party, named by its id."""


@party.command("export")
@store_options
@click.argument("id")
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False, path_type=Path))
def export_party(id: str, file: Path, **options: Any) -> None:
    """Write everything about party ID to FILE as JSON lines: resources, events, audit records, subscriptions.

    FILE - is standard output. Only you can read FILE. Its lines also name the other parties of a resource: review it
    before you hand it over.
    """
    if str(file) != "-" and file.exists():
        raise Refused(f"{file} exists already")
    with nullcontext(sys.stdout.buffer) if str(file) == "-" else partial_file(file) as out:
        if str(file) != "-":
            out.truncate(0)  # an interrupted export begins anew
        if not (lines := run(options, lambda found: _export(out, found, id))):
            raise NothingFound(f"nothing refers to party {id!a}")
    click.echo(f"exported {lines} lines", err=True)


@party.command("erase")
@store_options
@setting_options("public_url", "audit")
@click.option("--confirm", is_flag=True, help="Erase; without it, only show what would be erased.")
@click.option("--references-only", is_flag=True, help="Keep contact media, notes and other personal data.")
@click.argument("id")
def erase_party(id: str, confirm: bool, references_only: bool, **options: Any) -> None:
    """Erase party ID from all versions of resources, events, audit records and stored responses.

    References to the party keep their role, and their id becomes "erased". In the versions that refer to the party,
    members that the contract marks as personal data are erased, too. This cannot be undone. If it is interrupted, run
    it again.
    """
    from tmf_sales.privacy.personal_data import ERASED

    if id in ("", ERASED):
        raise Refused(f"the id is {id!a}; expected the id of a party")
    erased, named_by = run(options, lambda found: _erase(found, id, not confirm, references_only))
    for place in erased.left[:PLACES_SHOWN]:
        click.echo(f"still mentions the id: {on_one_line(place)}", err=True)
    if len(erased.left) > PLACES_SHOWN:
        click.echo(f"still mentions the id: {len(erased.left) - PLACES_SHOWN} more places", err=True)
    for subscription in named_by:
        click.echo(f"subscription {subscription} names the party; unregister it if nobody needs it", err=True)
    if not erased.anything:
        raise NothingFound(f"nothing refers to party {id!a}")
    click.echo(f"{'erased' if confirm else 'would erase'} {summary(erased)}")
    if not confirm:
        click.echo("nothing was changed; add --confirm to erase", err=True)


async def _export(out: BinaryIO, found: Context, id: str) -> int:
    import orjson

    from tmf_sales.privacy.export import exported

    lines = 0
    async for line in exported(_data(found, id)):
        out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        lines += 1
    return lines


async def _erase(found: Context, id: str, is_dry_run: bool, references_only: bool) -> tuple[Erased, list[str]]:
    from tmf_sales.privacy.erasure import Erasure

    data = _data(found, id)
    erasure = Erasure(
        data,
        lambda: datetime.now(UTC),
        lambda line: click.echo(on_one_line(line)),
        public_base=found.settings.public_base,
        audits=found.settings.audits,
        is_dry_run=is_dry_run,
        references_only=references_only,
    )
    erased = await erasure.run()
    return erased, [str(each["id"]) async for each in data.subscriptions()]


def _data(found: Context, id: str) -> PartyData:
    from tmf_sales.privacy.party import PartyData, types_of

    return PartyData(found.store, types_of(found.apis), id)


def summary(erased: Erased) -> str:
    counts = (
        (erased.resources, "resources"),
        (erased.versions, "versions"),
        (erased.events, "events"),
        (erased.audit_records, "audit records"),
        (erased.responses, "stored responses"),
    )
    return ", ".join(f"{count} {name}" for count, name in counts)
