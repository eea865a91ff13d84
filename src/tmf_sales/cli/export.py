"""`tmf-sales export`: everything that is kept, or some kinds of it, as JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from tmf_sales.cli.opened import run
from tmf_sales.cli.options import Refused, setting_options
from tmf_sales.cli.progress import progress

if TYPE_CHECKING:
    from tmf_sales.storage import Storage

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
    kinds = chosen(wanted)
    if str(file) == "-":
        count = run(options, lambda found: export_to(found.store, kinds, sys.stdout.buffer, None, 0))
    else:
        count = export_file(file, kinds, options)
    click.echo(f"exported {count} resources", err=True)


def chosen(wanted: Sequence[str]) -> tuple[str, ...]:
    """The kinds to export, in the order in which they are written."""
    from tmf_sales.app import contracts_folder
    from tmf_sales.tmf630.contract import load_contracts
    from tmf_sales.transfer.checking import checks

    known = tuple(sorted(checks(load_contracts(contracts_folder()))))
    for kind in wanted:
        if kind not in known:
            raise Refused(f"--kind is {kind!a}; expected {' or '.join(known)}")
    return tuple(kind for kind in known if kind in wanted) or known


def export_file(file: Path, kinds: Sequence[str], options: dict[str, Any]) -> int:
    if file.exists():
        raise Refused(f"{file} exists already")
    with partial_file(file) as part:
        begun, lines = resume_point(part)
        if begun is not None:
            if begun[0] not in kinds:
                raise Refused(f"{file}.part was begun with kind {begun[0]}; name that too, or remove it")
            click.echo(f"going on behind {begun[0]} {begun[1]}, line {lines}", err=True)
        return run(options, lambda found: export_to(found.store, kinds, part, begun, lines))


async def export_to(
    store: Storage, kinds: Sequence[str], out: BinaryIO, begun: tuple[str, str] | None, lines: int
) -> int:
    """Write what is behind `begun`; answer how many lines there are, the `lines` written before included."""
    from tmf_sales.storage.criteria import Query
    from tmf_sales.transfer.moving import exported

    total = sum([(await store.find(kind, Query(limit=0))).total for kind in kinds])
    with progress("exporting", total, "resources") as bar:
        bar(lines)
        async for batch in exported(store, kinds, begun):
            out.writelines(batch)
            lines += len(batch)
            bar(len(batch))
    return lines


@contextmanager
def partial_file(file: Path) -> Iterator[BinaryIO]:
    """FILE.part, which becomes FILE when all went well."""
    path = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "r+b") as part:
        yield part
        part.flush()
        os.fsync(part.fileno())
    path.rename(file)


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
    part.truncate(last_end)
    part.seek(previous_end)
    line = part.read(last_end - previous_end)
    if not line:
        return None, 0
    try:
        kind, unit = read(line)
    except BadLine as error:
        raise Refused(f"{part.name} is no begun export: line {lines}: {error}; remove it to start anew") from None
    return (kind, unit.id), lines
