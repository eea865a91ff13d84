"""`tmf-sales export`: writes all stored resources, or some kinds of them, as JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from tmf_sales.cli.context import run
from tmf_sales.cli.options import Refused, settings_from, store_options
from tmf_sales.cli.progress import progress
from tmf_sales.errors import CannotStart

if TYPE_CHECKING:
    from tmf_sales.app.context import Context

BLOCK = 64 * 1024


@click.command()
@store_options
@click.option(
    "--kind",
    "wanted",
    multiple=True,
    metavar="KIND",
    help="Export only this kind, such as tmf648/quote or quote; repeatable.",
)
@click.option(
    "--readable", is_flag=True, help="Export the readable records of a damaged SQLite store, and skip the others."
)
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False, path_type=Path))
def export(file: Path, wanted: tuple[str, ...], readable: bool, **options: Any) -> None:
    """Write all resources and subscriptions to FILE, one a line with all its versions; - is standard output.

    Writes FILE.part and renames it when complete; run the command again to resume. FILE contains the signing
    secrets of subscriptions, so only its owner can read it. Events that wait for delivery are not exported.
    """
    if readable:
        export_readable(file, options)
        return
    if str(file) == "-":
        count = run(options, lambda found: export_chosen(sys.stdout.buffer, found, wanted))
    else:
        if file.exists():
            raise Refused(f"{file} exists already")
        with partial_file(file) as part:
            count = run(options, lambda found: export_rest(part, found, wanted))
    click.echo(f"exported {count} resources", err=True)


def export_readable(file: Path, options: dict[str, Any]) -> None:
    """Write all readable records without opening the store; exit with 1 when some are unreadable."""
    from tmf_sales.app.context import stored_kinds
    from tmf_sales.contract.files import contracts_folder
    from tmf_sales.contract.loader import load_contracts
    from tmf_sales.storage.factory import reject_missing_file, sqlite_path
    from tmf_sales.storage.protocol import StorageUnavailable
    from tmf_sales.storage.sqlite.damage import readable_records
    from tmf_sales.transfer.checking import moved_kinds
    from tmf_sales.transfer.lines import written

    settings = settings_from(options)
    if not settings.store.startswith("sqlite:"):
        raise Refused(f"{settings.shown_store} is not SQLite; expected --readable with a SQLite store alone")
    try:
        reject_missing_file(settings.store)
        apis = load_contracts(contracts_folder(), settings.contracts, settings.apis)
    except CannotStart as error:
        raise Refused(str(error)) from None
    moved = moved_kinds(apis)
    kinds = [kind for kind in stored_kinds(apis) if kind.name in moved]
    count = lost = 0
    with nullcontext(sys.stdout.buffer) if str(file) == "-" else partial_file(file) as out:
        try:
            for kind, record in readable_records(sqlite_path(settings.store), kinds):
                if record is None:
                    lost += 1
                else:
                    out.write(written(kind, record))
                    count += 1
        except StorageUnavailable as error:
            raise Refused(f"{error}; put the last backup in its place") from None
    click.echo(f"exported {count} resources; {lost} cannot be read", err=True)
    raise SystemExit(1 if lost else 0)


async def chosen(wanted: Sequence[str], found: Context) -> tuple[str, ...]:
    """The kinds to export, in the order in which they are written."""
    from tmf_sales.storage.records import named_kind
    from tmf_sales.transfer.checking import moved_kinds

    known = moved_kinds(found.apis)
    named = {name: named_kind(name, known) for name in wanted}
    for name, kind in named.items():
        if kind is None:
            raise Refused(f"--kind is {name!a}; expected {' or '.join(known)}")
    if not named:
        await reject_unknown_kinds(found)
    return tuple(kind for kind in known if kind in named.values()) or known


async def reject_unknown_kinds(found: Context) -> None:
    """Refuse an export without --kind that would be incomplete, because no contract describes a stored kind."""
    unknown = [kind for kind, count in (await found.store.unknown_kinds()).items() if count]
    if unknown:
        raise Refused(
            f"no loaded contract describes {', '.join(unknown)}, which the store holds; expected --contracts with the "
            "folder of the contract, or --kind for each kind to export"
        )


async def export_chosen(out: BinaryIO, found: Context, wanted: Sequence[str]) -> int:
    return await export_to(out, found, await chosen(wanted, found))


async def export_rest(part: BinaryIO, found: Context, wanted: Sequence[str]) -> int:
    """Resume a file that an earlier run may have begun; return its total number of lines."""
    kinds = await chosen(wanted, found)
    begun, lines = resume_point(part)
    if begun is not None:
        if begun[0] not in kinds:
            raise Refused(f"{part.name} was begun with kind {begun[0]}; name that too, or remove it")
        click.echo(f"going on behind {begun[0]} {begun[1]}, line {lines}", err=True)
    return await export_to(part, found, kinds, begun, lines)


async def export_to(
    out: BinaryIO, found: Context, kinds: Sequence[str], begun: tuple[str, str] | None = None, lines: int = 0
) -> int:
    """Write all records after `begun`; return the number of lines, including the `lines` written before."""
    from tmf_sales.storage.conditions import Query
    from tmf_sales.transfer.moving import exported

    total = sum([(await found.store.find(kind, Query(limit=0))).total for kind in kinds])
    with progress("exporting", total, "resources") as bar:
        bar(lines)
        async for batch in exported(found.store, kinds, begun):
            out.writelines(batch)
            lines += len(batch)
            bar(len(batch))
    return lines


@contextmanager
def partial_file(file: Path) -> Iterator[BinaryIO]:
    """Open FILE.part, and rename it to FILE on success."""
    path = file.with_name(f"{file.name}.part")
    try:
        part = open(path, "r+b", opener=create_for_owner)  # noqa: SIM115 - a Path's open has no opener
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}") from None
    with part:
        try:
            yield part
        except BaseException:
            if part.seek(0, os.SEEK_END) == 0:  # nothing to resume from
                path.unlink()
            raise
        part.flush()
        os.fsync(part.fileno())
    path.rename(file)


def create_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o600)


def resume_point(part: BinaryIO) -> tuple[tuple[str, str] | None, int]:
    """The kind and id in the last complete line, and the number of lines; cuts off an incomplete line after it."""
    from tmf_sales.transfer.lines import BadLine, read

    lines, last_end, previous_end, position = 0, 0, 0, 0
    part.seek(0)
    while block := part.read(BLOCK):
        start = -1
        while (start := block.find(b"\n", start + 1)) >= 0:
            lines, previous_end, last_end = lines + 1, last_end, position + start + 1
        position += len(block)
    part.seek(previous_end)
    line = part.read(last_end - previous_end)
    begun = None
    if line:
        try:
            kind, unit = read(line)
        except BadLine as error:
            raise Refused(
                f"{part.name} is not an unfinished export: line {lines}: {error}; remove it to start again"
            ) from None
        begun = kind, unit.id
    part.truncate(last_end)
    return begun, lines
