"""Writes each contract as one file: plain, for clients and for gateways, as YAML and JSON.

Guarantee: the same contracts give the same bytes, in the order in which their authors wrote them.
`python -m tmf_sales.publishing.bundle CONTRACTS TARGET` writes them all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tmf_sales.contract.bundling import bundle
from tmf_sales.contract.files import contract_files
from tmf_sales.publishing.client_profile import client_profile
from tmf_sales.publishing.gateway_profile import gateway_profile
from tmf_sales.publishing.plain_profile import plain_profile
from tmf_sales.publishing.rendering import as_json, as_yaml

PROFILES: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "plain": lambda document: document,  # what the others are made of
    "client": client_profile,
    "gateway": gateway_profile,
}
FORMATS: Mapping[str, Callable[[dict[str, Any]], bytes]] = {"yaml": as_yaml, "json": as_json}


def published(contract: Path, profile: str, format: str, public_url: str | None = None) -> bytes:
    """Render one contract; `profile` and `format` are names from PROFILES and FORMATS.

    `public_url`: where clients reach the service, without a slash at its end; without it the server is relative.
    """
    document = PROFILES[profile](plain_profile(bundle(contract)))
    return FORMATS[format](document if public_url is None else with_server(document, public_url))


def with_server(document: dict[str, Any], public_url: str) -> dict[str, Any]:
    """The contract with an absolute server; everything else stays."""
    servers = [{**server, "url": f"{public_url}{server['url']}"} for server in document["servers"]]
    return {**document, "servers": servers}


def publish_all(contracts: Path, target: Path) -> Iterator[Path]:
    """Write every contract of a folder to `target` in every profile and format; yield the paths written."""
    target.mkdir(parents=True, exist_ok=True)
    for contract in contract_files(contracts):
        for profile in PROFILES:
            stem = contract.stem if profile == "plain" else f"{contract.stem}.{profile}"
            for format in FORMATS:
                path = target / f"{stem}.{format}"
                _replace(path, published(contract, profile, format))
                yield path


def _replace(path: Path, text: bytes) -> None:
    """Replace the file atomically, so that no reader sees half a contract."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_bytes(text)
    unfinished.replace(path)


if __name__ == "__main__":
    for path in publish_all(Path(sys.argv[1]), Path(sys.argv[2])):
        print(path)
