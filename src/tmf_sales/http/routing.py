"""Routes requests by one dictionary lookup, in place of Connexion's router.

It finds the same operation as Connexion's router. That router still gets every path that is not found here, and
responds with 404 or 405. Remove when Connexion's router no longer tries one route after the other
(https://github.com/spec-first/connexion/issues/1879; tests/http/test_library_internals.py).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Sequence
from typing import Any

from connexion.middleware.abstract import ROUTING_CONTEXT
from connexion.middleware.routing import RoutingMiddleware

from tmf_sales.contract.loader import Contract
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import Send


class Route(dict[str, Any]):
    """What Connexion's routing passes to the middlewares behind it; shared by all requests of an operation.

    `notes`: what an observer of requests remembers of the operation, by the status of the response.
    """

    __slots__ = ("notes",)

    def __init__(self, base_path: str, operation_id: str) -> None:
        super().__init__(api_base_path=base_path, operation_id=operation_id)
        self.notes: dict[int, Any] = {}


class CompiledRouting(RoutingMiddleware):  # type: ignore[misc]
    """Finds an operation by one dictionary lookup; Starlette's router tries the routes one after the other."""

    app: App

    def __init__(self, app: App, contracts: Sequence[Contract]) -> None:
        super().__init__(app)
        self._fixed: dict[tuple[str, str], Route] = {}
        self._by_parent: dict[tuple[str, str], tuple[Route, str]] = {}
        for contract in contracts:
            for operation in contract.operations.values():
                self._add(contract.base_path, operation.method.upper(), operation.path, operation.id)

    def _add(self, base_path: str, method: str, path: str, operation_id: str) -> None:
        """Add a path without parameters, or with one as its last segment; Connexion routes all others."""
        route = Route(base_path, operation_id)
        if "{" not in path:
            self._fixed[method, base_path + path] = route
        elif (parent := re.fullmatch(r"([^{]*)/\{(\w+)\}", path)) is not None:
            self._by_parent[method, base_path + parent[1]] = route, parent[2]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Return what the next application returns: a coroutine of its own would add to every request."""
        if scope["type"] == "http" and not scope.get("root_path"):
            extensions = scope.setdefault("extensions", {})  # Connexion's router copies the scope, not this
            method, path = scope["method"], scope["path"]
            if (found := self._fixed.get((method, path))) is not None:
                extensions[ROUTING_CONTEXT], scope["path_params"] = found, {}
                return self.app(scope, receive, send)
            parent, _, last = path.rpartition("/")
            if last and (below := self._by_parent.get((method, parent))) is not None:
                extensions[ROUTING_CONTEXT], scope["path_params"] = below[0], {below[1]: last}
                return self.app(scope, receive, send)
        routed: Awaitable[None] = super().__call__(scope, receive, send)
        return routed
