"""`tmf-sales contract`: the contract for a reader, a gateway or a code generator."""

from __future__ import annotations

import click

from tmf_sales.cli.options import Refused


@click.command()
@click.option("--api", required=True, metavar="NAME", help="Which one: tmf648 (quotes) or tmf699 (sales leads).")
@click.option(
    "--profile",
    type=click.Choice(["plain", "client", "gateway"]),
    help="In one file: as the service hands it out, for code generators, or for API gateways.",
)
@click.option("--format", type=click.Choice(["yaml", "json"]), default="yaml", help="JSON is always in one file.")
def contract(api: str, profile: str | None, format: str) -> None:
    """Print an API's OpenAPI contract, as it was written or in one file."""
    from tmf_sales.app import contracts_folder
    from tmf_sales.contract.loader import contract_files
    from tmf_sales.publishing.bundle import published

    contracts = {path.name.partition("-")[0]: path for path in contract_files(contracts_folder())}
    if api not in contracts:
        raise Refused(f"there is no contract {api!r}; expected one of {', '.join(contracts)}")
    as_written = profile is None and format == "yaml"
    text = contracts[api].read_bytes() if as_written else published(contracts[api], profile or "plain", format)
    click.echo(text, nl=False)
