"""`tmf-sales check`: is what the service would run with in order, and what does the store hold?

Promise: one line for each thing looked at; exit code 0 when all are good, 1 when one is not. Resources are only read.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from tmf_sales.cli.options import setting_options
from tmf_sales.errors import CannotStart, TmfError
from tmf_sales.settings import Settings, load_settings, unknown_variables

if TYPE_CHECKING:
    from tmf_sales.tmf630.contract import Contract

Finding = Callable[[], Iterator[str]]


@click.command()
@setting_options("store", "price_book")
def check(**options: object) -> None:
    """Check settings, contracts and store, and say what was found."""
    try:
        settings = load_settings(os.environ, options)
    except CannotStart as error:
        for line in str(error).splitlines():
            say(False, f"settings: {line}")
        raise SystemExit(1) from None
    good = [
        report("settings", lambda: settings_found(settings)),
        report("contract", contracts_found),
        report("service", lambda: service_found(settings)),
        report("store", lambda: store_found(settings)),
    ]
    raise SystemExit(0 if all(good) else 1)


def say(good: bool, line: str) -> None:
    click.echo(f"{'ok  ' if good else 'BAD '} {line}")


def report(subject: str, finding: Finding) -> bool:
    """Say each line that `finding` gives; what it raises is the problem."""
    try:
        for line in finding():
            say(True, f"{subject}: {line}")
    except TmfError as error:
        say(False, f"{subject}: {error.reason}: {error.message}")
    except (CannotStart, ValueError) as error:
        say(False, f"{subject}: {' '.join(str(error).split())}")
    else:
        return True
    return False


def settings_found(settings: Settings) -> Iterator[str]:
    mode = "strict" if settings.strict else "open"
    yield f"store {settings.shown_store}, {mode} mode, hrefs at {settings.public_base}"
    if unknown := unknown_variables(os.environ):
        raise CannotStart(f"{', '.join(unknown)} is no setting; expected the names that the README lists")


def contracts_found() -> Iterator[str]:
    from openapi_spec_validator import OpenAPIV30SpecValidator

    for contract in contracts():
        problems = sorted(OpenAPIV30SpecValidator(contract.document).iter_errors(), key=str)
        for problem in problems:
            place = "/".join(map(str, problem.absolute_path))
            raise CannotStart(f"{contract.file}#/{place}: {problem.message[:200]}")
        resources = ", ".join(resource.name for resource in contract.resources.values())
        yield f"{contract.file} is OpenAPI 3.0 with {len(contract.operations)} operations on {resources} and listeners"


def service_found(settings: Settings) -> Iterator[str]:
    from tmf_sales.app import create_app

    create_app(settings)
    yield "every operation has its handler"


def store_found(settings: Settings) -> Iterator[str]:
    for kind, count in asyncio.run(counts(settings)).items():
        yield f"{settings.shown_store} holds {count} {kind}"


async def counts(settings: Settings) -> dict[str, int]:
    """How many there are of each kind. Raises StorageUnavailable when the store cannot be read and written."""
    from tmf_sales.app import stored_kinds
    from tmf_sales.storage.criteria import Query
    from tmf_sales.storage.opening import open_store

    kinds = stored_kinds(contracts())
    store = open_store(settings.store, kinds, statement_timeout=settings.statement_timeout)
    await store.open()
    try:
        await store.ping()
        return {kind.name: (await store.find(kind.name, Query(limit=0))).total for kind in kinds}
    finally:
        await store.close()


def contracts() -> tuple[Contract, ...]:
    from tmf_sales.app import contracts_folder
    from tmf_sales.tmf630.contract import load_contracts

    return load_contracts(contracts_folder())
