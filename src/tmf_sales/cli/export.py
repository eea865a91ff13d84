"""`tmf-sales export`: everything that is kept, or some kinds of it, as JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from tmf_sales.cli.context import Context, run
from tmf_sales.cli.options import Refused, setting_options
from tmf_sales.cli.progress import progress

BLOCK = 64 * 1024


@click.command()
@setting_options("store")
@click.option("--kind", "wanted", multiple=True, metavar="KIND", help="Only this kind, such as quote; may be repeated.")
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False, path_type=Path))
def export(file: Path, wanted: tuple[str, ...], **options: Any) -> None:
    """Write all resources and listeners to FILE, one a line with all its versions; - is standard output.

    Until it is whole, FILE has .part behind its name; the same command goes on with it after an interruption.
    Listeners' signing secrets are in it: only its owner can read it. Events that wait for delivery are not.
    """
    if str(file) == "-":
        count = run(options, lambda found: export_to(sys.stdout.buffer, found, chosen(wanted, found)))
    else:
        if file.exists():
            raise Refused(f"{file} exists already")
        with partial_file(file) as part:
            count = run(options, lambda found: export_rest(part, found, chosen(wanted, found)))
    click.echo(f"exported {count} resources", err=True)


def chosen(wanted: Sequence[str], found: Context) -> tuple[str, ...]:
    """The kinds to export, in the order in which they are written."""
    from tmf_sales.transfer.checking import moved_kinds

    known = moved_kinds(found.apis)
    for kind in wanted:
        if kind not in known:
            raise Refused(f"--kind is {kind!a}; expected {' or '.join(known)}")
    return tuple(kind for kind in known if kind in wanted) or known


async def export_rest(part: BinaryIO, found: Context, kinds: Sequence[str]) -> int:
    """Go on with a file that an earlier run may have begun; answer how many lines it then has."""
    begun, lines = resume_point(part)
    if begun is not None:
        if begun[0] not in kinds:
            raise Refused(f"{part.name} was begun with kind {begun[0]}; name that too, or remove it")
        click.echo(f"going on behind {begun[0]} {begun[1]}, line {lines}", err=True)
    return await export_to(part, found, kinds, begun, lines)


async def export_to(
    out: BinaryIO, found: Context, kinds: Sequence[str], begun: tuple[str, str] | None = None, lines: int = 0
) -> int:
    """Write what is behind `begun`; answer how many lines there are, the `lines` written before included."""
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
    """FILE.part, which becomes FILE when all went well."""
    path = file.with_name(f"{file.name}.part")
    try:
        part = open(path, "r+b", opener=create_for_owner)  # noqa: SIM115 - a Path's open has no opener
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}") from None
    with part:
        try:
            yield part
        except BaseException:
            if part.seek(0, os.SEEK_END) == 0:  # there is nothing to go on with
                path.unlink()
            raise
        part.flush()
        os.fsync(part.fileno())
    path.rename(file)


def create_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o600)


def resume_point(part: BinaryIO) -> tuple[tuple[str, str] | None, int]:
    """Kind and id in the last whole line, and how many lines there are; what is behind it is cut off."""
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
            raise Refused(f"{part.name} is no begun export: line {lines}: {error}; remove it to start anew") from None
        begun = kind, unit.id
    part.truncate(last_end)
    return begun, lines
