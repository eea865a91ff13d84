"""`tmf-sales check`: is what the service would run with in order, and what does the store hold?

Promise: one line for each thing looked at; exit code 0 when all are good, 1 when one is not. Resources are only read,
and a SQLite store that is not there is not made.
A stored resource that the contract would not let in today is listed; it stays readable.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import click

from tmf_sales.cli.context import on_one_line, opened
from tmf_sales.cli.options import setting_options
from tmf_sales.cli.progress import progress
from tmf_sales.errors import CannotStart, TmfError
from tmf_sales.settings import Settings, load_settings, unknown_variables

if TYPE_CHECKING:
    from tmf_sales.contract.loader import Contract

Finding = Callable[[], Iterator[str]]

LISTED = 20
REASON_LIMIT = 300


@click.command()
@setting_options("store", "price_book")
@click.option("--quick", is_flag=True, help="Leave out to hold each stored resource against its contract.")
@click.option("--shard", is_flag=True, help="Spread the collections over a MongoDB cluster's shards by hashed id.")
def check(quick: bool, shard: bool, **options: object) -> None:
    """Check settings, contracts and store, and list the stored resources that the contracts would not let in today."""
    try:
        settings = load_settings(os.environ, options)
    except CannotStart as error:
        for line in str(error).splitlines():
            say(False, f"settings: {line}")
        raise SystemExit(1) from None
    good = [report("settings", lambda: settings_found(settings)), report("contract", contracts_found)]
    if not good[-1]:
        raise SystemExit(1)  # all that follows would only say it again
    good += [report("service", lambda: service_found(settings)), report("store", lambda: store_found(settings))]
    if shard and good[-1]:
        good.append(report("sharding", lambda: sharding_made(settings)))
    if not quick and good[-1]:
        good.append(report("documents", lambda: documents_found(settings)))
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
        contract.reject_uncompilable_schemas()
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
    from tmf_sales.storage.conditions import Query

    async with opened(settings) as found:
        await found.store.ping()
        return {
            kind.name: (await found.store.find(kind.name, Query(limit=0))).total for kind in stored_kinds(found.apis)
        }


def sharding_made(settings: Settings) -> Iterator[str]:
    if not settings.store.startswith("mongodb"):
        raise CannotStart(f"{settings.shown_store} is not MongoDB; nothing was changed")
    yield from asyncio.run(sharded(settings))


async def sharded(settings: Settings) -> list[str]:
    from tmf_sales.storage.mongo.store import MongoStorage

    async with opened(settings) as found:
        await found.store.ping()
        return await cast(MongoStorage, found.store).shard()


def documents_found(settings: Settings) -> Iterator[str]:
    count, listed = asyncio.run(misfits(settings))
    for line in listed:
        say(False, f"documents: {line}")
    if count > len(listed):
        say(False, f"documents: and {count - len(listed)} more")
    if count:
        raise CannotStart(f"{count} stored resources stay readable, but the contract would not let them in today")
    yield "every stored resource is as its contract has it"


async def misfits(settings: Settings) -> tuple[int, list[str]]:
    """How many stored resources the contracts would not let in, and the first of them with the reason."""
    from tmf_sales.storage.conditions import Query
    from tmf_sales.transfer.checking import checks, moved_kinds
    from tmf_sales.transfer.survey import refused

    count, listed = 0, list[str]()
    async with opened(settings) as found:
        kinds = moved_kinds(found.apis)
        total = sum([(await found.store.find(kind, Query(limit=0))).total for kind in kinds])
        with progress("checking", total, "resources") as bar:
            async for kind, id, reason in refused(found.store, kinds, checks(found.apis), bar):
                count += 1
                if len(listed) < LISTED:
                    listed.append(f"{kind} {on_one_line(id)}: {shortened(reason)}")
    return count, listed


def shortened(reason: str) -> str:
    return reason if len(reason) <= REASON_LIMIT else f"{reason[:REASON_LIMIT]}..."


def contracts() -> tuple[Contract, ...]:
    from tmf_sales.app import contracts_folder
    from tmf_sales.contract.loader import load_contracts

    return load_contracts(contracts_folder())
