"""Answers OPTIONS: which methods a path has, and which media types a patch of it takes (RFC 9110, 9.3.7; RFC 5789).

The answer comes from the contracts, needs no credential and never touches the store. It links to the contract and its
documentation (RFC 8631).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tmf_sales.contract.loader import Contract
from tmf_sales.errors import NoSuchRoute
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.public_base import PublicBase
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error, send_response

ALL_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST")


def options(apis: Sequence[Contract], public_base: PublicBase, has_page: Callable[[str], bool]) -> App:
    """The application for OPTIONS; `has_page` says whether a path outside the contracts is served."""

    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        path = scope["path"]
        headers = _of_operations(apis, path, public_base.of(scope))
        if headers is None and (path == "*" or has_page(path)):
            headers = _allow(ALL_METHODS if path == "*" else PAGE_METHODS)
        if headers is None:
            await send_error(send, NoSuchRoute("No operation of any API has this path"), scope)
        else:
            await send_response(send, 204, b"", headers)

    return answer


def _of_operations(apis: Sequence[Contract], path: str, public_url: str) -> list[tuple[bytes, bytes]] | None:
    for api in apis:
        if path.startswith(f"{api.base_path}/"):
            below = path.removeprefix(api.base_path)
            below = below[:-1] if below.endswith("/") else below
            if methods := api.methods_at(below):
                return _allow(methods) + _accept_patch(api, below) + _links(f"{public_url}{api.base_path}")
    return None


def _allow(methods: Sequence[str]) -> list[tuple[bytes, bytes]]:
    return [(b"allow", ", ".join(sorted({*methods, "OPTIONS"})).encode())]


def _accept_patch(api: Contract, path: str) -> list[tuple[bytes, bytes]]:
    for operation in api.operations.values():
        if operation.method == "patch" and _matches(operation.path, path):
            return [(b"accept-patch", ", ".join(operation.bodies).encode())]
    return []


def _links(root: str) -> list[tuple[bytes, bytes]]:
    links = f'<{root}/openapi.json>; rel="service-desc", <{root}/ui/>; rel="service-doc"'
    return [(b"link", links.encode())]


def _matches(template: str, path: str) -> bool:
    steps, wanted = template.split("/"), path.split("/")
    return len(steps) == len(wanted) and all(
        step.startswith("{") or step == want for step, want in zip(steps, wanted, strict=True)
    )
