"""Serves the contracts; renders each one once, at the first request.

`{base path}/openapi.json` and `.yaml` are bundled into one file, for tools that fetch one URL. They replace Connexion's
own pages, which fail on recursive schemas. `/openapi/{file}` serves the files as written, with their comments, so that
references between them resolve. `servers` and the issuer are those of this service.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from tmf_sales.console.static_page import static_page
from tmf_sales.console.swagger_ui import PAGE_HEADERS
from tmf_sales.contract.loader import Contract
from tmf_sales.http.middleware import App
from tmf_sales.publishing.rendering import as_json, as_yaml


def documents(apis: Sequence[Contract], *, prefix: str = "", issuer: str | None = None) -> Mapping[str, App]:
    """The application for each path: `{base path}/openapi.json` and `.yaml`, and `/openapi/{file}`.

    `prefix`: the path of the public URL. `issuer`: the issuer of the tokens that the service accepts.
    """
    pages: dict[str, App] = {}
    for api in apis:
        served = as_served(api.document, f"{prefix}{api.base_path}", issuer)
        pages[f"{api.base_path}/openapi.json"] = static_page(
            b"application/json", functools.partial(as_json, served), PAGE_HEADERS
        )
        pages[f"{api.base_path}/openapi.yaml"] = static_page(
            b"application/yaml", functools.partial(as_yaml, served), PAGE_HEADERS
        )
        for name, file in api.files.items():
            pages[f"/openapi/{name}"] = static_page(b"application/yaml", file.read_bytes, PAGE_HEADERS)
    return pages


def as_served(document: dict[str, Any], base: str, issuer: str | None) -> dict[str, Any]:
    """A copy of the contract with the server paths and the issuer of this service."""
    served = {**document, "servers": [{**document["servers"][0], "url": base}]}
    if issuer is not None and "securitySchemes" in document["components"]:
        schemes = copy.deepcopy(document["components"]["securitySchemes"])
        for scheme in schemes.values():
            if scheme["type"] == "openIdConnect":
                scheme["openIdConnectUrl"] = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        served["components"] = {**document["components"], "securitySchemes": schemes}
    return served
