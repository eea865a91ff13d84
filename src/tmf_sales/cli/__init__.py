"""The command line: one short file for each command.

Promise: of the commands only the one that runs is imported, and what it needs only then, so that help and refusals come
at once and a service starts without the others.
"""

from __future__ import annotations

import warnings
from importlib import import_module

import click

import tmf_sales

COMMANDS = (
    "audit",
    "backup",
    "check",
    "conformance",
    "contract",
    "deliver",
    "events",
    "export",
    "import",
    "listen",
    "listeners",
    "serve",
)


class Commands(click.Group):
    """A command is the function of its name in the module of its name, which are `import_` for `import`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = "import_" if cmd_name == "import" else cmd_name
        command: click.Command = getattr(import_module(f"tmf_sales.cli.{name}"), name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(tmf_sales.__version__, prog_name="tmf-sales")
def main() -> None:
    """TM Forum sales leads (TMF699) and quotes (TMF648), served from their contracts."""
    # Connexion imports a test client that nobody uses here and that warns which package to use it with.
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
