"""The command line: one short file for each command.

Promise: what a command needs is imported when it runs, so that help and refusals come at once.
"""

import warnings

import click

import tmf_sales
from tmf_sales.cli.audit import audit
from tmf_sales.cli.backup import backup
from tmf_sales.cli.check import check
from tmf_sales.cli.conformance import conformance
from tmf_sales.cli.contract import contract
from tmf_sales.cli.deliver import deliver
from tmf_sales.cli.events import events
from tmf_sales.cli.export import export
from tmf_sales.cli.import_ import import_
from tmf_sales.cli.listen import listen
from tmf_sales.cli.listeners import listeners
from tmf_sales.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(tmf_sales.__version__, prog_name="tmf-sales")
def main() -> None:
    """TM Forum sales leads (TMF699) and quotes (TMF648), served from their contracts."""
    # Connexion imports a test client that nobody uses here and that warns which package to use it with.
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")


for command in (
    serve,
    check,
    conformance,
    contract,
    deliver,
    events,
    listen,
    listeners,
    export,
    import_,
    backup,
    audit,
):
    main.add_command(command)
