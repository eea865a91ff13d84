"""The command line: one module for each command.

Guarantee: only the command that runs is imported, and its dependencies only when it runs. So help and usage errors
appear at once, and the service starts without the other commands.
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
    "config",
    "conformance",
    "contract",
    "deliver",
    "events",
    "export",
    "import",
    "listen",
    "listeners",
    "party",
    "serve",
)


class Commands(click.Group):
    """Finds a command as the function with its name in the module with its name (`import_` for `import`)."""

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
    # Connexion imports a test client that is unused here and warns about the package to use it with.
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
