"""Generates the tables of docs/reference from the code: settings, commands, error codes and metrics."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import click
from scripts.markers import with_made

import tmf_sales
from tmf_sales.apis.registry import registered_rules, settings_of_rules
from tmf_sales.cli import main as command_line
from tmf_sales.configuration.description import Described, describe_settings
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import TmfError
from tmf_sales.telemetry.catalogue import METRICS

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"


def row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def table(*header: str, rows: Iterator[str]) -> str:
    return "\n".join([row(*header), row(*("---" for _ in header)), *rows])


def settings() -> str:
    """The service's own settings, then those of the rules of each API, under the name of the rules."""
    parts = [settings_table(Settings)]
    for name, of in sorted(settings_of_rules(registered_rules()).items()):
        parts += [f"Settings of the rules `{name}`:", settings_table(of)]
    return "\n\n".join(parts)


def settings_table(of: type) -> str:
    rows = (
        row(f"`{each.variable}`", f"`{each.default}`" if each.default else "", _purpose(each))
        for each in describe_settings(of)
    )
    return table("Variable", "Default", "What it is for", rows=rows)


def _purpose(setting: Described) -> str:
    in_file = f"; `{setting.file_variable}` names a file with it" if setting.file_variable else ""
    return setting.purpose + in_file


def commands() -> str:
    """A chapter for each command, with its options and those of its subcommands."""
    return "\n\n".join(_chapter(f"tmf-sales {name}", command) for name, command in _commands_of(command_line))


def _commands_of(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        if command := group.get_command(context, name):
            yield name, command


def _chapter(name: str, command: click.Command, level: int = 2) -> str:
    parts = [f"{'#' * level} {name}", one_line(command.help or "")]
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    if arguments:
        parts[0] += "".join(f" {each.human_readable_name.upper()}" for each in arguments)
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if options:
        parts.append(table("Option", "What it does", rows=(_option(each) for each in options)))
    if isinstance(command, click.Group):
        parts += [_chapter(f"{name} {inner}", each, level + 1) for inner, each in _commands_of(command)]
    return "\n\n".join(parts)


def _option(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or option.name or ''}".upper().replace("_", "-")
    return row(f"`{option.opts[0]}{value}`", one_line(option.help or ""))


def error_codes() -> str:
    conditions = sorted(all_conditions(), key=lambda each: (each.status, each.code))
    rows = (row(f"`{each.code}`", str(int(each.status)), each.reason, when(each)) for each in conditions)
    return table("`code`", "Status", "`reason`", "When", rows=rows)


def all_conditions() -> set[type[TmfError]]:
    """The exceptions that become responses, one for each code: the highest in its hierarchy."""
    for module in pkgutil.walk_packages(tmf_sales.__path__, "tmf_sales."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[str, type[TmfError]] = {}
    waiting = [*TmfError.__subclasses__()]
    for each in waiting:
        found.setdefault(each.code, each)
        waiting += each.__subclasses__()
    return set(found.values())


def when(condition: type[TmfError]) -> str:
    """The docstring without its first words: "Raised when the body ..."."""
    text = one_line((condition.__doc__ or "").partition("\n\n")[0])
    return re.sub(r"^Raised (by [\w ]+? )?(when|for) ", "", text)


def one_line(text: str) -> str:
    return " ".join(text.split())


def metrics() -> str:
    rows = (
        row(f"`{each.name}`", each.type, ", ".join(f"`{label}`" for label in each.labels), each.meaning)
        for each in METRICS
    )
    return table("Metric", "Type", "Labels", "What it says", rows=rows)


PAGES = {"settings": settings, "commands": commands, "errors": error_codes, "metrics": metrics}


def with_tables(name: str, text: str) -> str:
    """Return the page with a new table; raise ValueError when a marker is missing."""
    return with_made(text, name, "make docs", PAGES[name]())


if __name__ == "__main__":
    for name in PAGES:
        page = REFERENCE / f"{name}.md"
        page.write_text(with_tables(name, page.read_text(encoding="utf-8")), encoding="utf-8")
