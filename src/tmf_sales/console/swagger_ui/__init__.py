"""Swagger UI for each API, from files in this package: the pages ask no other host for anything (see NOTICE).

Each path is an ASGI application of its own. The contract that is shown has the paths that a browser sees, and says
which issuer signs the tokens that the service accepts.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import orjson

from tmf_sales.console.static_page import page_with_links, static_page
from tmf_sales.contract.loader import Contract
from tmf_sales.http.middleware import App
from tmf_sales.http.public_base import PublicBase

FILES = {
    "start.js": b"text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui.css": b"text/css; charset=utf-8",
}

# Swagger UI sets styles from its script, which needs no permission, and draws its arrows as data.
CONTENT_SECURITY_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
]

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Swagger UI</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/ui/swagger-ui.css">
</head>
<body>
<div id="swagger-ui" data-contract="{base}/ui/contract.json"></div>
<script src="{base}/ui/swagger-ui-bundle.js"></script>
<script src="{base}/ui/start.js"></script>
</body>
</html>
"""


def swagger_ui(apis: Sequence[Contract], public_base: PublicBase, issuer: str | None = None) -> Mapping[str, App]:
    """The application for each path below `{base path}/ui`; the browser gets paths, so any host name leads to them."""
    pages: dict[str, App] = {}
    for api in apis:
        page = partial(_page_text, api)
        for path in ("", "/", "/index.html"):
            pages[f"{api.base_path}/ui{path}"] = page_with_links(
                b"text/html; charset=utf-8", page, PAGE_HEADERS, public_base
            )
        contract = partial(_contract_text, api, issuer)
        pages[f"{api.base_path}/ui/contract.json"] = page_with_links(
            b"application/json", contract, PAGE_HEADERS, public_base
        )
        for name, media_type in FILES.items():
            read = files(__name__).joinpath(name).read_bytes
            pages[f"{api.base_path}/ui/{name}"] = static_page(media_type, read, PAGE_HEADERS)
    return pages


def _page_text(api: Contract, public_base: str) -> bytes:
    base = urlsplit(public_base).path + api.base_path
    return PAGE.format(title=escape(api.title), base=escape(base)).encode()


def _contract_text(api: Contract, issuer: str | None, public_base: str) -> bytes:
    base = urlsplit(public_base).path + api.base_path
    return orjson.dumps(for_swagger_ui(copy.deepcopy(api.document), base, issuer))


def for_swagger_ui(document: dict[str, Any], base: str, issuer: str | None) -> dict[str, Any]:
    """The contract as Swagger UI gets it, changed in place: a token is pasted, so no provider is asked for one."""
    document["servers"] = [{**document["servers"][0], "url": base}]
    schemes = document["components"].get("securitySchemes", {})
    for scheme in schemes.values():
        if scheme["type"] in ("oauth2", "openIdConnect"):
            scheme.clear()
            scheme.update(type="http", scheme="bearer", bearerFormat="JWT")
            scheme["description"] = f"A bearer token of {issuer}." if issuer else "The service asks for no token."
    for operation in _secured(document):
        operation["security"] = [{scheme: [] for scheme in each} for each in operation["security"]]
    return document


def _secured(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = [each for item in document["paths"].values() for each in item.values() if isinstance(each, dict)]
    return [each for each in (document, *found) if "security" in each]
