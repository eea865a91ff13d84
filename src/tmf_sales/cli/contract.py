"""`tmf-sales contract`: the contract as it was written, for a gateway or a code generator."""

from __future__ import annotations

from pathlib import Path

import click

from tmf_sales.cli.options import Refused


@click.command()
@click.option("--api", required=True, metavar="NAME", help="Which one: tmf648 (quotes) or tmf699 (sales leads).")
def contract(api: str) -> None:
    """Print an API's OpenAPI contract as it was written."""
    files = {path.name.partition("-")[0]: path for path in sorted(contract_folder().glob("*.yaml"))}
    served = {name: path for name, path in files.items() if "-common-" not in path.name}
    if api not in served:
        raise Refused(f"there is no contract {api!r}; expected one of {', '.join(served)}")
    click.echo(served[api].read_bytes().decode(), nl=False)


def contract_folder() -> Path:
    """Beside the code in an installed package, at the root of a source tree."""
    package = Path(__file__).parents[1]
    installed = package / "openapi"
    return installed if installed.is_dir() else package.parents[1] / "openapi"
