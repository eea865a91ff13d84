"""Announces in every response that an API or an operation is going to be removed (RFC 9745, RFC 8594).

Guarantee: rejections before routing, as of an unknown method or credential, announce it too. Without a deprecated
contract the application is returned unchanged, so requests pay nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tmf_sales.contract.deprecation import deprecation_of
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.resource_type import Operation
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.response_headers import add_headers, deprecation_headers
from tmf_sales.http.responses import Send

Headers = tuple[tuple[bytes, bytes], ...]


def announce_deprecations(app: App, apis: Sequence[Contract]) -> App:
    """Add the headers of deprecated APIs and operations to their responses."""
    deprecated = [each for each in map(_Announced, apis) if each.has_any]
    if not deprecated:
        return app

    async def announce(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for each in deprecated:
                add_headers(scope, each.headers_of(scope["method"], scope["path"]))
        await app(scope, receive, send)

    return announce


class _Announced:
    """The headers of one API: those of each operation, and those of the contract for everything else below its path."""

    def __init__(self, api: Contract) -> None:
        self._prefix = f"{api.base_path}/"
        self._others = deprecation_headers(deprecation_of(api.document, {}))
        self._operations = [
            (operation.method.upper(), _pattern(api, operation), deprecation_headers(operation.deprecation))
            for operation in api.operations.values()
        ]

    @property
    def has_any(self) -> bool:
        return bool(self._others) or any(headers for _, _, headers in self._operations)

    def headers_of(self, method: str, path: str) -> Headers:
        if not path.startswith(self._prefix):
            return ()
        for wanted, pattern, headers in self._operations:
            if wanted == method and pattern.fullmatch(path):
                return headers
        return self._others


def _pattern(api: Contract, operation: Operation) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", operation.path)
    return re.compile(f"{re.escape(api.base_path)}{'[^/]+'.join(map(re.escape, parts))}/?")
