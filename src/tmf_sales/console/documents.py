"""Serves the contracts; renders each one once, at the first request.

`{base path}/openapi.json` and `.yaml` are bundled into one file, for tools that fetch one URL. They replace Connexion's
own pages, which fail on recursive schemas. `/openapi/{file}` serves the files as written, with their comments, so that
references between them resolve. `servers` and the issuer are those of this service.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tmf_sales.console.api_catalog import api_catalog
from tmf_sales.console.static_page import page_with_links, static_page
from tmf_sales.console.swagger_ui import PAGE_HEADERS
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.yaml_source import JSON
from tmf_sales.http.middleware import App
from tmf_sales.http.public_base import PublicBase
from tmf_sales.publishing.plain_profile import plain_profile
from tmf_sales.publishing.rendering import as_json, as_yaml

PLACEHOLDER = "https://public-url.invalid"
"""Stands for the public URL in the rendered text: rendering takes long, and clients of a proxy name many hosts."""


def documents(apis: Sequence[Contract], public_base: PublicBase, issuer: str | None = None) -> Mapping[str, App]:
    """The application for each path: `{base path}/openapi.json` and `.yaml`, `/openapi/{file}`, and the API catalog.

    `issuer`: the issuer of the tokens that the service accepts.
    """
    pages = api_catalog(apis, public_base)
    for api in apis:
        served = as_served(api.document, PLACEHOLDER + api.base_path, issuer)
        for ending, render in (("json", as_json), ("yaml", as_yaml)):
            rendered = functools.cache(functools.partial(render, served))
            make, media_type = functools.partial(_with_public_url, rendered), f"application/{ending}".encode()
            page = page_with_links(media_type, make, PAGE_HEADERS, public_base)
            pages[f"{api.base_path}/openapi.{ending}"] = page
        for name, file in api.files.items():
            media_type = b"application/json" if file.suffix == JSON else b"application/yaml"
            pages[f"/openapi/{name}"] = static_page(media_type, file.read_bytes, PAGE_HEADERS)
    return pages


def _with_public_url(render: Callable[[], bytes], public_base: str) -> bytes:
    return render().replace(PLACEHOLDER.encode(), public_base.encode())


def as_served(document: dict[str, Any], base: str, issuer: str | None) -> dict[str, Any]:
    """The plain profile of the contract with the URL and the issuer of this service."""
    served = {**plain_profile(document), "servers": [{**document["servers"][0], "url": base}]}
    if issuer is not None and "securitySchemes" in document["components"]:
        schemes = copy.deepcopy(document["components"]["securitySchemes"])
        for scheme in schemes.values():
            if scheme["type"] == "openIdConnect":
                scheme["openIdConnectUrl"] = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        served["components"] = {**served["components"], "securitySchemes": schemes}
    return served
