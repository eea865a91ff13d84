"""Serves /.well-known/api-catalog: where each API's contract and documentation are, for tools (RFC 9727, RFC 9264)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import orjson

from tmf_sales.console.static_page import page_with_links
from tmf_sales.contract.loader import Contract
from tmf_sales.http.middleware import App
from tmf_sales.http.public_base import PublicBase

PATH = "/.well-known/api-catalog"
MEDIA_TYPE = b'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
HEADERS = [
    (b"link", b'<api-catalog>; rel="api-catalog"'),  # relative to the page, so it is right under any prefix
    (b"cache-control", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
]


def api_catalog(apis: Sequence[Contract], public_base: PublicBase) -> dict[str, App]:
    """The application of the page, by its path."""
    return {PATH: page_with_links(MEDIA_TYPE, partial(linkset, apis), HEADERS, public_base)}


def linkset(apis: Sequence[Contract], public_url: str) -> bytes:
    return orjson.dumps({"linkset": [_links_of(f"{public_url}{api.base_path}") for api in apis]})


def _links_of(root: str) -> dict[str, object]:
    return {
        "anchor": root,
        "service-desc": [
            {"href": f"{root}/openapi.json", "type": "application/json"},
            {"href": f"{root}/openapi.yaml", "type": "application/yaml"},
        ],
        "service-doc": [{"href": f"{root}/ui/", "type": "text/html"}],
    }
