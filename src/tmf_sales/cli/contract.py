"""`tmf-sales contract`: prints a contract for a reader, a gateway or a code generator."""

from __future__ import annotations

import click

from tmf_sales.cli.options import Refused, setting_options, settings_from
from tmf_sales.configuration.setting_types import URL, read_url
from tmf_sales.errors import CannotStart
from tmf_sales.values.messages import shown

RELATIVE_SERVER = "The server is relative, and many importers need an address: name the public URL with --server URL."


@click.command()
@setting_options("contracts")
@click.option("--api", required=True, metavar="NAME", help="API, such as tmf648 (quotes) or tmf699 (leads).")
@click.option(
    "--profile",
    type=click.Choice(["plain", "client", "gateway"]),
    help="Print one file: as served, for code generators, or for API gateways.",
)
@click.option("--server", metavar="URL", help="Public URL of the service, for the server of the contract.")
@click.option(
    "--format", type=click.Choice(["yaml", "json"]), default="yaml", help="Output format; JSON is always one file."
)
def contract(api: str, profile: str | None, server: str | None, format: str, **options: object) -> None:
    """Print an API's OpenAPI contract, as written or bundled into one file.

    With a profile or as JSON, its server is absolute if --server or TMF_SALES_PUBLIC_URL is set.
    """
    from tmf_sales.contract.files import contracts_folder, find_contracts
    from tmf_sales.publishing.bundle import published

    try:
        settings = settings_from(options)
        found = find_contracts(contracts_folder(), settings.contracts)
    except CannotStart as error:
        raise Refused(str(error)) from None
    contracts = {file.name: file.path for file in found}
    if api not in contracts:
        raise Refused(f"no API is called {api!r}; expected one of {', '.join(contracts)}")
    public_url = None if server is None else public_url_of(server)
    if profile is None and format == "yaml" and public_url is None:
        text = contracts[api].read_bytes()
    else:
        public_url = public_url or settings.public_url
        text = published(contracts[api], profile or "plain", format, public_url)
        if public_url is None and profile in {"client", "gateway"}:
            click.echo(RELATIVE_SERVER, err=True)
    click.echo(text, nl=False)


def public_url_of(server: str) -> str:
    """The URL without a slash at its end; raises Refused."""
    try:
        return read_url(server)
    except ValueError:
        raise Refused(f"--server is {shown(server)}; expected {URL.expected}") from None
