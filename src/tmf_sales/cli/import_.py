"""`tmf-sales import`: loads what `tmf-sales export` wrote into the same or another store."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from tmf_sales.cli.context import run
from tmf_sales.cli.options import Refused, settings_from, store_options
from tmf_sales.cli.progress import progress
from tmf_sales.configuration.setting_types import MEMORY

if TYPE_CHECKING:
    from tmf_sales.app.context import Context
    from tmf_sales.transfer.moving import Tally


@click.command("import")
@store_options
@click.option("--no-check", is_flag=True, help="Also load documents that the contracts reject.")
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path))
def import_(file: Path, no_check: bool, **options: Any) -> None:
    """Load the resources in FILE, as written by export; - is standard input.

    Resources that exist already are left alone, so you can run the command again to resume. Invalid lines are reported
    and skipped; the exit code is then 1. No events are made.
    """
    if settings_from(options).store == MEMORY:
        raise Refused("the store memory: is gone when this command ends")
    try:
        source = nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb")
    except OSError as error:
        raise Refused(f"cannot read {file}: {error.strerror}") from None
    size = 0 if str(file) == "-" else file.stat().st_size
    with source as lines:
        tally = run(options, lambda found: import_lines(found, lines, size, by_contract=not no_check), may_create=True)
    click.echo(said(tally), err=True)
    raise SystemExit(1 if tally.refused else 0)


async def import_lines(found: Context, lines: BinaryIO, size: int, *, by_contract: bool) -> Tally:
    from tmf_sales.transfer.checking import checks, earlier_names
    from tmf_sales.transfer.moving import Import

    await found.store.ping()
    with progress("importing", size, "bytes") as bar:
        known = checks(found.apis, by_contract=by_contract)
        return await Import(found.store, known, reject, bar, earlier_names(found.apis)).run(lines)


def reject(number: int, reason: str) -> None:
    click.echo(f"line {number} is skipped: {reason}", err=True)


def said(tally: Tally) -> str:
    parts = [f"imported {tally.added} resources", f"{tally.same} were there already"]
    if tally.different:
        parts.append(f"{tally.different} are stored differently and were left as they are")
    if tally.refused:
        parts.append(f"{tally.refused} lines skipped")
    return "; ".join(parts)
