"""`tmf-sales backup`: copies a SQLite store while the service runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tmf_sales.cli.options import Refused, settings_from, store_options


@click.command()
@store_options
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path, **options: Any) -> None:
    """Copy a SQLite store, as it is at this moment, to FILE; serving goes on.

    FILE is a store itself: to restore it, stop the service and name it with --store, or put it in the old one's place.
    Events that wait for delivery and signing secrets are in it; only its owner can read it.
    """
    settings = settings_from(options)
    if not settings.store.startswith("sqlite:"):
        raise Refused(f"{settings.shown_store} is not SQLite; see the database's own backup, or tmf-sales export")
    if file.exists():
        raise Refused(f"{file} exists already")

    from tmf_sales.storage.factory import sqlite_path
    from tmf_sales.storage.sqlite.bulk import back_up

    source = sqlite_path(settings.store)
    if not source.is_file():
        raise Refused(f"there is no store {source}")
    try:
        size = back_up(source, file)
    except OSError as error:
        raise Refused(f"cannot copy {source} to {file}: {error.strerror or error}") from None
    click.echo(f"copied {size} bytes to {file}", err=True)
