"""What the scope of a request keeps of the body: servers keep a scope until the next request on its connection."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
from scripts.benchmark.driver import Lifespan
from tests.http.conftest import SALES

from tmf_sales.app import create_app
from tmf_sales.configuration.settings import Settings
from tmf_sales.http.validation import REQUEST


async def exchange(method: str, path: str, body: bytes) -> tuple[int, MutableMapping[str, Any]]:
    """The status of the response to this request, and its scope after that."""
    app = create_app(Settings(store="memory:", no_delivery=True))
    scopes: list[MutableMapping[str, Any]] = []

    async def keep_scope(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        scopes.append(scope)
        await app(scope, receive, send)

    transport = httpx.ASGITransport(keep_scope)
    async with Lifespan(app), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        response = await client.request(
            method, f"{SALES}/{path}", content=body, headers={"Content-Type": "application/json"}
        )
    [scope] = scopes
    return response.status_code, scope


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "salesLead", b'{"name": "Campaign 17"}', 201),
        ("POST", "salesLead", b'{"name": 17}', 400),
        ("POST", "salesLead", b'{"name": "Campaign 17", "validFor": {"endDateTime": "2019-02-30T00:00:00Z"}}', 400),
        ("PATCH", "salesLead/1", b'{"name": "Campaign 17"}', 404),
    ],
    ids=["accepted", "rejected by the contract", "rejected by the engine", "not found"],
)
def test_a_body_is_dropped_when_its_request_has_been_answered(method: str, path: str, body: bytes, status: int) -> None:
    answered, scope = asyncio.run(exchange(method, path, body))

    assert answered == status
    assert scope[REQUEST].body is None
    assert scope[REQUEST].body_size == len(body)
