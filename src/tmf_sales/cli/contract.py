"""`tmf-sales contract`: the contract for a reader, a gateway or a code generator."""

from __future__ import annotations

import click

from tmf_sales.cli.options import Refused


@click.command()
@click.option("--api", required=True, metavar="NAME", help="Which one: tmf648 (quotes) or tmf699 (sales leads).")
@click.option("--bundled", is_flag=True, help="In one file, with what both APIs share, as the service hands it out.")
def contract(api: str, *, bundled: bool) -> None:
    """Print an API's OpenAPI contract, as it was written."""
    from tmf_sales.app import contracts_folder
    from tmf_sales.console.documents import as_yaml
    from tmf_sales.tmf630.contract import load_contracts

    folder = contracts_folder()
    contracts = {each.name: each for each in load_contracts(folder)}
    if api not in contracts:
        raise Refused(f"there is no contract {api!r}; expected one of {', '.join(contracts)}")
    source = folder / contracts[api].file
    click.echo(as_yaml(contracts[api].document) if bundled else source.read_bytes(), nl=False)
