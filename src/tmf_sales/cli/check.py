"""`tmf-sales check`: checks the configuration of the service and the stored resources.

Prints one line for each check; the exit code is 0 when all pass, 1 when one fails. It only reads resources, and does
not create a missing SQLite store. It lists stored resources that their contract would reject today; they stay readable.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import click

from tmf_sales.cli.context import on_one_line, opened
from tmf_sales.cli.options import rule_setting_options, store_options
from tmf_sales.cli.progress import progress
from tmf_sales.configuration.loading import load_settings
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import CannotStart, TmfError

if TYPE_CHECKING:
    from tmf_sales.contract.loader import Contract

Finding = Callable[[], Iterator[str]]

LISTED = 20
REASON_LIMIT = 300


@click.command()
@store_options
@rule_setting_options
@click.option("--quick", is_flag=True, help="Skip validating stored resources.")
@click.option("--shard", is_flag=True, help="Spread the collections over a MongoDB cluster's shards by hashed id.")
def check(quick: bool, shard: bool, **options: object) -> None:
    """Check settings, contracts, rules, policy and store, and list stored resources that their contracts reject."""
    from tmf_sales.apis.registry import registered_rules, settings_of_rules

    try:
        settings = load_settings(os.environ, options, settings_of_rules(registered_rules()))
    except CannotStart as error:
        for line in str(error).splitlines():
            say(False, f"settings: {line}")
        raise SystemExit(1) from None
    good = [report("settings", lambda: settings_found(settings))]
    good.append(report("contract", lambda: contracts_found(settings)))
    if not good[-1]:
        raise SystemExit(1)  # all later checks would fail for the same reason
    good += [report("service", lambda: service_found(settings)), report("policy", lambda: policy_found(settings))]
    if not is_there(settings):
        say(True, f"store: no store yet at {settings.shown_store}; the service creates it when it starts")
        raise SystemExit(0 if all(good) else 1)
    if not quick:
        good.append(report("store", lambda: damage_found(settings)))
    if good[-1]:
        good.append(report("store", lambda: store_found(settings)))
    if shard and good[-1]:
        good.append(report("sharding", lambda: sharding_made(settings)))
    if not quick and good[-1]:
        good.append(report("documents", lambda: documents_found(settings)))
    raise SystemExit(0 if all(good) else 1)


def say(good: bool, line: str) -> None:
    click.echo(f"{'ok  ' if good else 'BAD '} {line}")


def report(subject: str, finding: Finding) -> bool:
    """Print each line of `finding`; if it raises, print the error, with a line for each fault."""
    try:
        for line in finding():
            say(True, f"{subject}: {line}")
    except TmfError as error:
        say(False, f"{subject}: {error.reason}: {error.message}")
    except (CannotStart, ValueError) as error:
        for line in str(error).splitlines():
            say(False, f"{subject}: {' '.join(line.split())}")
    else:
        return True
    return False


def settings_found(settings: Settings) -> Iterator[str]:
    yield f"store {settings.shown_store}, {settings.mode} mode, hrefs at {settings.public_base}"


def contracts(settings: Settings) -> tuple[Contract, ...]:
    from tmf_sales.contract.files import contracts_folder
    from tmf_sales.contract.loader import load_contracts

    return load_contracts(contracts_folder(), settings.contracts, settings.apis)


def contracts_found(settings: Settings) -> Iterator[str]:
    from openapi_spec_validator import OpenAPIV30SpecValidator

    from tmf_sales.contract.yaml_source import BrokenContract, BrokenContracts

    faults: list[BrokenContract] = []
    for contract in contracts(settings):
        try:
            contract.reject_uncompilable_schemas()
        except BrokenContract as fault:
            faults.append(fault)
            continue
        problems = sorted(OpenAPIV30SpecValidator(contract.document).iter_errors(), key=str)
        for problem in problems:
            place = "/".join(map(str, problem.absolute_path))
            faults.append(BrokenContract(contract.file, f"/{place}", problem.message[:200]))
        if not problems:
            yield from described(contract)
    if faults:
        raise BrokenContracts(faults)


def described(contract: Contract) -> Iterator[str]:
    """Summarize a contract, and name the events in it that cannot occur."""
    from tmf_sales.contract.lint_names import impossible_events

    resources = ", ".join(resource.name for resource in contract.resources.values())
    replaces = f"; replaces the shipped {contract.replaces}" if contract.replaces else ""
    operations = f"{len(contract.operations)} operations on {resources} and subscriptions"
    yield f"{contract.file} is OpenAPI 3.0 with {operations}{replaces}"
    for resource in contract.resources.values():
        has_states = resource.object_type.lifecycle_member is not None
        found = impossible_events(resource.events, contract.operations, resource.name, has_states=has_states)
        if found:
            yield f"{contract.file}: x-events of {resource.name} names {', '.join(found)}, which no operation raises"


def service_found(settings: Settings) -> Iterator[str]:
    from tmf_sales.apis.registry import name_of_rules, registered_rules
    from tmf_sales.app import create_app
    from tmf_sales.app.composition import compose

    create_app(settings)
    yield "every operation has its handler"
    table = registered_rules()
    for api in compose(settings).apis:
        for resource in api.resources.values():
            if (name := name_of_rules(table, api.name, resource.name)) is not None:
                yield f"{resource.kind} has the rules {name}"


def policy_found(settings: Settings) -> Iterator[str]:
    from tmf_sales.auth.policy import Policy

    policy = Policy.for_apis(settings.policy, contracts(settings))
    policy.check(all_apis=not settings.apis)
    missing = policy.missing_rows()
    for api, operations in missing.items():
        yield f"{api}: no row is about {', '.join(operations)}; only the role admin may do this"
    if not missing:
        yield "every operation has a row"


def is_there(settings: Settings) -> bool:
    """Whether the store exists, as far as that is known without opening it."""
    from tmf_sales.storage.factory import reject_missing_file
    from tmf_sales.storage.protocol import StoreRefused

    try:
        reject_missing_file(settings.store)
    except StoreRefused:
        return False
    return True


def damage_found(settings: Settings) -> Iterator[str]:
    """Read all of a SQLite file to find damage; other databases check themselves."""
    from tmf_sales.storage.factory import sqlite_path
    from tmf_sales.storage.sqlite.damage import damage_in

    if not settings.store.startswith("sqlite:"):
        return
    path = sqlite_path(settings.store)
    if damage := damage_in(path):
        lines = [f"{path} is damaged: {line}" for line in damage]
        way = "stop the service; put the last backup in its place, or save what is readable with"
        raise CannotStart(
            "\n".join([*lines, f"{way} `tmf-sales export --readable FILE` and import it into a new store"])
        )
    yield f"{path} is intact"


def store_found(settings: Settings) -> Iterator[str]:
    known, unknown = asyncio.run(counts(settings))
    for kind, count in known.items():
        yield f"{settings.shown_store} holds {count} {kind}"
    if unknown:
        lines = (
            f"no contract describes {kind}: {count} resources, and its events wait" for kind, count in unknown.items()
        )
        raise CannotStart("\n".join([*lines, "name the folder of its contract with --contracts"]))


async def counts(settings: Settings) -> tuple[dict[str, int], dict[str, int]]:
    """Count the resources of each kind, and of each kind that no contract describes.

    Raises StorageUnavailable when the store cannot be read and written.
    """
    from tmf_sales.app.context import stored_kinds
    from tmf_sales.storage.conditions import Query

    async with opened(settings) as found:
        await found.store.ping()
        known = {
            kind.name: (await found.store.find(kind.name, Query(limit=0))).total for kind in stored_kinds(found.apis)
        }
        return known, dict(await found.store.unknown_kinds())


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
        raise CannotStart(f"{count} stored resources stay readable, but their contracts reject them today")
    yield "every stored resource is valid"


async def misfits(settings: Settings) -> tuple[int, list[str]]:
    """Count the stored resources that their contracts reject, and list the first of them with the reason."""
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
