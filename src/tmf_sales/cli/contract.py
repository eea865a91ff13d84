"""`tmf-sales contract`: prints a contract for a reader, a gateway or a code generator."""

from __future__ import annotations

import click

from tmf_sales.cli.options import Refused, setting_options, settings_from
from tmf_sales.configuration.setting_types import URL, read_url
from tmf_sales.errors import CannotStart
from tmf_sales.values.messages import shown


@click.command()
@setting_options("contracts")
@click.option("--api", required=True, metavar="NAME", help="API, such as tmf648 (quotes) or tmf699 (leads).")
@click.option(
    "--profile",
    type=click.Choice(["plain", "client", "gateway"]),
    help="Print one file: as served, for code generators, or for API gateways.",
)
@click.option("--server", metavar="URL", help="Public URL of the service; without it the server is relative.")
@click.option(
    "--format", type=click.Choice(["yaml", "json"]), default="yaml", help="Output format; JSON is always one file."
)
def contract(api: str, profile: str | None, server: str | None, format: str, **options: object) -> None:
    """Print an API's OpenAPI contract, as written or bundled into one file."""
    from tmf_sales.contract.files import contracts_folder, find_contracts
    from tmf_sales.publishing.bundle import published

    try:
        found = find_contracts(contracts_folder(), settings_from(options).contracts)
    except CannotStart as error:
        raise Refused(str(error)) from None
    contracts = {file.name: file.path for file in found}
    if api not in contracts:
        raise Refused(f"no API is called {api!r}; expected one of {', '.join(contracts)}")
    public_url = None if server is None else public_url_of(server)
    if profile is None and format == "yaml" and public_url is None:
        text = contracts[api].read_bytes()
    else:
        text = published(contracts[api], profile or "plain", format, public_url)
    click.echo(text, nl=False)


def public_url_of(server: str) -> str:
    """The URL without a slash at its end; raises Refused."""
    try:
        return read_url(server)
    except ValueError:
        raise Refused(f"--server is {shown(server)}; expected {URL.expected}") from None
