"""What the service relies on in Connexion and uvicorn beyond their documentation; one test for each place.

When one of these fails after an upgrade, the library changed there: read the comment at the place that it names.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httptools
import pytest
import uvicorn
from connexion import ConnexionMiddleware
from connexion.middleware.abstract import ROUTING_CONTEXT, RoutedAPI, RoutedMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.resolver import Resolver
from connexion.spec import OpenAPISpecification
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tmf_sales.contract.loader import Contract
from tmf_sales.http.routing import CompiledRouting

CONTRACT = Contract(Path(__file__).parents[2] / "openapi/tmf648-quote-v4.yaml")
QUOTES = f"{CONTRACT.base_path}/quote"


def test_connexion_validates_a_contract_by_a_class_method_that_can_be_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """app/asgi.py, _specification_taken_as_valid."""
    validated: list[dict[str, Any]] = []
    monkeypatch.setattr(OpenAPISpecification, "_validate_spec", classmethod(lambda _cls, spec: validated.append(spec)))

    ConnexionMiddleware(lambda *_: None).add_api(CONTRACT.document, resolver=lambda _: lambda: None)

    assert validated


async def context_left_by(make: Callable[[Any], Any], method: str, path: str) -> dict[str, Any]:
    """What a routing middleware has put into the scope when the next application gets it."""
    reached: list[dict[str, Any]] = []

    async def next_application(scope: dict[str, Any], *_: Any) -> None:
        reached.append(scope)

    middleware = make(next_application)
    specification = OpenAPISpecification(CONTRACT.document)
    middleware.add_api(specification, base_path=CONTRACT.base_path, resolver=Resolver(lambda _: lambda: None))
    await middleware({"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}, None, None)
    [scope] = reached
    routing = scope["extensions"][ROUTING_CONTEXT]
    return {"routing": routing, "parameters": dict(scope["path_params"])}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", QUOTES), ("POST", QUOTES), ("GET", f"{QUOTES}/1"), ("PATCH", f"{QUOTES}/a b"), ("DELETE", f"{QUOTES}/x")],
)
async def test_compiled_routing_leaves_what_connexions_own_would(method: str, path: str) -> None:
    """http/routing.py, CompiledRouting."""
    ours = await context_left_by(partial(CompiledRouting, contracts=[CONTRACT]), method, path)

    assert ours == await context_left_by(RoutingMiddleware, method, path)


def test_routed_middleware_builds_one_api_for_each_contract_and_one_operation_for_each_id() -> None:
    """http/validation.py, ValidationAPI and CompiledValidation."""
    assert "api_cls" in RoutedMiddleware.__annotations__ or hasattr(RoutedMiddleware, "api_cls")
    assert list(inspect.signature(RoutedAPI.make_operation).parameters) == ["self", "operation"]
    assert {"add_api", "__call__"} <= vars(RoutedMiddleware).keys()


def test_httptools_still_reports_an_upgrade_by_raising() -> None:
    """server/protocol.py feeds the parser whole heads because of this (https://github.com/encode/uvicorn/issues/2722)."""
    parser = httptools.HttpRequestParser(object())

    with pytest.raises(httptools.HttpParserUpgrade):
        parser.feed_data(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")


def test_uvicorns_protocol_has_what_ours_replaces() -> None:
    """server/protocol.py, Protocol."""
    assert {"data_received", "on_headers_complete", "on_message_complete", "connection_lost"} <= set(
        dir(HttpToolsProtocol)
    )


PRIVATE_OF_A_CONNECTION = (
    "_unset_keepalive_if_required cycle flow headers parser timeout_keep_alive timeout_keep_alive_handler"
    " timeout_keep_alive_task transport"
)


async def test_uvicorns_server_and_connections_have_the_private_parts_that_ours_use() -> None:
    """server/lifecycle.py, Server, and server/protocol.py, Protocol."""

    async def application(scope: object, receive: object, send: object) -> None:
        """Serve nothing."""

    config = uvicorn.Config(application)
    config.load()
    server = uvicorn.Server(config)
    connection = HttpToolsProtocol(config, server.server_state, {})

    assert (server._captured_signals, server.server_state.connections) == ([], set())
    assert set(PRIVATE_OF_A_CONNECTION.split()) <= {*vars(connection), *dir(connection)}
    assert {"keep_alive", "response_started", "transport"} <= set(RequestResponseCycle.__init__.__code__.co_names)


async def test_uvicorn_still_writes_a_head_apart_from_its_body() -> None:
    """server/joined_writes.py can go when uvicorn joins them."""
    wire = Mock(asyncio.Transport)
    log = logging.getLogger(__name__)
    cycle = RequestResponseCycle(
        scope={"type": "http", "method": "GET"},  # type: ignore[typeddict-item]
        transport=wire,
        flow=FlowControl(wire),
        logger=log,
        access_logger=log,
        access_log=False,
        default_headers=[],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=lambda: None,
    )

    await cycle.send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await cycle.send({"type": "http.response.body", "body": b"{}", "more_body": False})

    assert [call.args[0] for call in wire.method_calls] == [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", b"{}"]
