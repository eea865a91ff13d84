"""Writes the README's tables of settings, commands and error codes from the code, between their markers."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import click
from scripts.markers import with_made

import tmf_sales
from tmf_sales.cli import main as command_line
from tmf_sales.errors import TmfError
from tmf_sales.settings import describe_settings

README = Path(__file__).parents[1] / "README.md"


def row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def table(*header: str, rows: Iterator[str]) -> str:
    return "\n".join([row(*header), row(*("---" for _ in header)), *rows])


def settings() -> str:
    rows = (
        row(f"`{each.variable}`", f"`{each.default}`" if each.default else "", each.purpose)
        for each in describe_settings()
    )
    return table("Variable", "Default", "What it is for", rows=rows)


def commands() -> str:
    context = click.Context(command_line)
    found = ((name, command_line.get_command(context, name)) for name in command_line.list_commands(context))
    rows = (
        row(f"`tmf-sales {name}`", one_line(command.help or ""), ", ".join(f"`{each}`" for each in options_of(command)))
        for name, command in found
        if command
    )
    return table("Command", "What it does", "Options", rows=rows)


def options_of(command: click.Command) -> list[str]:
    return [each.opts[0] for each in command.params]


def error_codes() -> str:
    conditions = sorted(all_conditions(), key=lambda each: (each.status, each.code))
    rows = (row(f"`{each.code}`", str(int(each.status)), each.reason, when(each)) for each in conditions)
    return table("`code`", "Status", "`reason`", "When", rows=rows)


def all_conditions() -> set[type[TmfError]]:
    """Every exception that becomes an answer, one for each code: the one that stands highest."""
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
    return re.sub(r"^Raised (by \w+ )?(when|for) ", "", text)


def one_line(text: str) -> str:
    return " ".join(text.split())


TABLES = {"settings": settings, "commands": commands, "error codes": error_codes}


def with_tables(text: str) -> str:
    """The README with its tables made anew. Raises ValueError when a pair of markers is missing."""
    for name, make in TABLES.items():
        text = with_made(text, name, "make docs", make())
    return text


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
