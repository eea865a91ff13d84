"""`tmf-sales contract`: prints a contract for a reader, a gateway or a code generator."""

from __future__ import annotations

import click

from tmf_sales.cli.options import Refused, setting_options, settings_from
from tmf_sales.errors import CannotStart


@click.command()
@setting_options("contracts")
@click.option("--api", required=True, metavar="NAME", help="Which one, such as tmf648 (quotes) or tmf699 (leads).")
@click.option(
    "--profile",
    type=click.Choice(["plain", "client", "gateway"]),
    help="In one file: as the service hands it out, for code generators, or for API gateways.",
)
@click.option("--format", type=click.Choice(["yaml", "json"]), default="yaml", help="JSON is always in one file.")
def contract(api: str, profile: str | None, format: str, **options: object) -> None:
    """Print an API's OpenAPI contract, as it was written or in one file."""
    from tmf_sales.contract.files import contracts_folder, find_contracts
    from tmf_sales.publishing.bundle import published

    try:
        found = find_contracts(contracts_folder(), settings_from(options).contracts)
    except CannotStart as error:
        raise Refused(str(error)) from None
    contracts = {file.name: file.path for file in found}
    if api not in contracts:
        raise Refused(f"there is no contract {api!r}; expected one of {', '.join(contracts)}")
    as_written = profile is None and format == "yaml"
    text = contracts[api].read_bytes() if as_written else published(contracts[api], profile or "plain", format)
    click.echo(text, nl=False)
