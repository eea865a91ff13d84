"""Holds answers against the contracts, by means that the service does not use itself (jsonschema, own routing).

Promise: an answer that a contract does not describe, in its status, headers or body, fails the test that got it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import httpx
from jsonschema import FormatChecker  # type: ignore[import-untyped]
from openapi_schema_validator import OAS30Validator

from tmf_sales.contract.loader import Contract

CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
DESCRIBED_HEADERS = {
    "accept-patch",
    "allow",
    "etag",
    "link",
    "location",
    "retry-after",
    "www-authenticate",
    "x-result-count",
    "x-total-count",
    "x-total-count-at-least",
}
WITHOUT_BODY = {204, 304}


def is_canonical(value: object) -> bool:
    """Every date-time that the service answers is in UTC with milliseconds."""
    return not isinstance(value, str) or CANONICAL.fullmatch(value) is not None


formats = FormatChecker(())
formats.checks("date-time")(is_canonical)


class Untrue(AssertionError):
    """Raised when an answer is not what its contract says."""


class Described:
    """The answers that one contract describes."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._document = contract.document
        self._validators: dict[str, OAS30Validator] = {}
        self._errors = {"$ref": "#/components/schemas/Error"}
        self.base_path = contract.base_path

    @cached_property
    def _routes(self) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
        return [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), item)
            for path, item in self._document["paths"].items()
        ]

    def check(self, answer: httpx.Response) -> None:
        operation = self._operation(answer.request)
        if operation is None:
            self._check_error(answer)
            return
        described = operation["responses"].get(str(answer.status_code))
        if described is None:
            raise Untrue(f"{_called(answer)}: the contract does not have this status\n{answer.text[:500]}")
        described = self.contract.resolve(described)
        self._check_headers(answer, described.get("headers", {}))
        self._check_body(answer, described.get("content", {}), operation["operationId"])

    def _operation(self, request: httpx.Request) -> dict[str, Any] | None:
        """What the contract has for the request; HEAD is answered like GET where the contract does not name it."""
        path = request.url.raw_path.decode("ascii").partition("?")[0].removeprefix(self.base_path)
        path = path[:-1] if path.endswith("/") else path
        method = request.method.lower()
        for pattern, item in self._routes:
            if pattern.fullmatch(unquote(path, errors="replace")):
                return item.get(method) or (item.get("get") if method == "head" else None)
        return None

    def _check_headers(self, answer: httpx.Response, described: dict[str, Any]) -> None:
        stated = {name.lower(): self.contract.resolve(header) for name, header in described.items()}
        for name, header in stated.items():
            text = answer.headers.get(name)
            if text is not None:
                value = int(text) if header["schema"].get("type") == "integer" else text
                self._check(value, header["schema"], f"{_called(answer)}, header {name}")
            elif header.get("required"):
                raise Untrue(f"{_called(answer)}: has no {name}")
        if undescribed := sorted(DESCRIBED_HEADERS & {name.lower() for name in answer.headers} - stated.keys()):
            raise Untrue(f"{_called(answer)}: the contract does not have {', '.join(undescribed)}")

    def _check_body(self, answer: httpx.Response, content: dict[str, Any], operation_id: str) -> None:
        if answer.request.method == "HEAD" or answer.status_code in WITHOUT_BODY or not content:
            if answer.content:
                raise Untrue(f"{_called(answer)}: has a body, {answer.text[:200]}")
            return
        if answer.headers["content-type"] != "application/json":
            raise Untrue(f"{_called(answer)}: is {answer.headers['content-type']}")
        value = answer.json()
        self._check(value, content["application/json"]["schema"], _called(answer))
        if answer.status_code in {200, 201, 206} and "fields" not in answer.request.url.params:
            self._check_whole(value, answer, operation_id)

    def _check_whole(self, value: Any, answer: httpx.Response, operation_id: str) -> None:
        """What the server owes in an answer that selects nothing; `x-full` says it."""
        for resource in self.contract.resources.values():
            if not operation_id.endswith(resource.name) or _is_instant(value):
                continue
            full = self._document["components"]["schemas"][resource.name]["x-full"]
            for one in value if isinstance(value, list) else [value]:
                self._check(one, {"$ref": f"#/components/schemas/{full}"}, _called(answer))

    def _check_error(self, answer: httpx.Response) -> None:
        if answer.status_code < 400:
            raise Untrue(f"{_called(answer)}: no operation has this path and method")
        if answer.request.method != "HEAD":
            self._check(answer.json(), self._errors, _called(answer))

    def _check(self, value: Any, schema: dict[str, Any], called: str) -> None:
        key = repr(schema)
        if key not in self._validators:
            whole = {"allOf": [schema], "components": {"schemas": self._document["components"]["schemas"]}}
            self._validators[key] = OAS30Validator(whole, format_checker=formats)
        for error in self._validators[key].iter_errors(value):
            place = "".join(f"/{step}" for step in error.absolute_path)
            raise Untrue(f"{called}: {place}: {error.message[:300]}")


def _is_instant(value: Any) -> bool:
    """TMF648: a quote that is priced at once is not kept, so it has no href and owes nothing more."""
    return isinstance(value, dict) and "href" not in value


def _called(answer: httpx.Response) -> str:
    return f"{answer.request.method} {answer.request.url.raw_path.decode('ascii')} {answer.status_code}"


class Truth:
    """The answers that several contracts describe together; what is under none of them owes the Error body."""

    def __init__(self, contracts: Sequence[Contract]) -> None:
        self._described = [Described(contract) for contract in contracts]

    def add(self, contracts: Sequence[Contract]) -> None:
        self._described += [Described(contract) for contract in contracts]

    def check(self, answer: httpx.Response) -> None:
        if described := self._of(answer.request):
            described.check(answer)

    def contract_of(self, request: httpx.Request) -> Contract | None:
        """The one that the request's path is under."""
        described = self._of(request)
        return described.contract if described else None

    def _of(self, request: httpx.Request) -> Described | None:
        under = (one for one in self._described if request.url.path.startswith(one.base_path + "/"))
        return next(under, None)
