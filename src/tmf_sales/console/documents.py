"""Serves the contracts, each rendered once, at the first request.

Below an API's base path is one file with every reference inside, for tools that fetch one URL; it replaces Connexion's
own pages, which fail on recursive schemas. Below /openapi are the files as they were written, with their comments, so
that their references to each other resolve.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence

from tmf_sales.contract.loader import Contract
from tmf_sales.errors import MethodNotAllowed
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error
from tmf_sales.publishing.rendering import as_json, as_yaml


def documents(apis: Sequence[Contract]) -> Mapping[str, App]:
    """The application for each path: `{base path}/openapi.json` and `.yaml`, and `/openapi/{file}`."""
    pages: dict[str, App] = {}
    for api in apis:
        pages[f"{api.base_path}/openapi.json"] = _page(b"application/json", functools.partial(as_json, api.document))
        pages[f"{api.base_path}/openapi.yaml"] = _page(b"application/yaml", functools.partial(as_yaml, api.document))
        for name, file in api.files.items():
            pages[f"/openapi/{name}"] = _page(b"application/yaml", file.read_bytes)
    return pages


def _page(media_type: bytes, make: Callable[[], bytes]) -> App:
    made: list[bytes] = []

    async def page(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] not in PAGE_METHODS:
            await send_error(send, MethodNotAllowed.among(scope["method"], PAGE_METHODS), scope)
            return
        if not made:
            made.append(await asyncio.to_thread(make))
        headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(made[0]))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": made[0] if scope["method"] == "GET" else b""})

    return page
