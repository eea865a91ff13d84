"""Validates requests with checks compiled from the contracts at start, in place of Connexion's own middleware.

Guarantee: handlers only see requests that their contract allows, and one response lists all violations of a body. It
builds on Connexion's RoutedMiddleware, so the routing and security before it remain Connexion's.

The documented way, RequestValidationMiddleware with a `validator_map`, creates its validators for each request: even
validators that do nothing add 10.5 us to a GET and 45 us to a POST of 3.4 KB. Remove this module when Connexion creates
them once (https://github.com/spec-first/connexion/issues/2045; tests/http/test_library_internals.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from connexion.middleware.abstract import ROUTING_CONTEXT, RoutedAPI, RoutedMiddleware

from tmf_sales.access import Access, Principal
from tmf_sales.contract.leniency import (
    MISSING_CONTENT_TYPE,
    NULL_AS_MISSING,
    Mode,
    allowed_leniencies,
    count_leniencies,
)
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.resource_type import Operation
from tmf_sales.contract.schemas import SchemaCheck
from tmf_sales.contract.types import UNKNOWN, ObjectType, unknown_members
from tmf_sales.engine.all_violations import FurtherCheck
from tmf_sales.engine.leniency import LenientCheck
from tmf_sales.engine.long_work import run_work
from tmf_sales.engine.request import Request
from tmf_sales.errors import InvalidBody, InvalidParameter, TmfError, UnsupportedMediaType
from tmf_sales.http.context import EVERYTHING, Admit, admit_everybody
from tmf_sales.http.fields import fields_of
from tmf_sales.http.json_body import parse_json_body
from tmf_sales.http.middleware import App, Receive, Scope, read_body
from tmf_sales.http.public_base import PublicBase
from tmf_sales.http.request_ids import traceparent_of
from tmf_sales.http.responses import Send, send_error
from tmf_sales.http.streaming import STREAM_ENDS
from tmf_sales.query.names import reject_undeclared_parameters
from tmf_sales.values.messages import Violation, shown

REQUEST = "tmf_sales.request"

WITH_BODY = {"post", "put", "patch"}
JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
KNOWN_QUERIES, KNOWN_LENGTH = 256, 512


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """The settings that validation needs.

    `further` maps a base path and an operationId to a function that finds further violations in a body that the
    contract rejects.
    """

    mode: Mode
    body_limit: int
    public_base: PublicBase
    new_id: Callable[[], str]
    admit: Admit = admit_everybody
    further: Mapping[tuple[str, str], FurtherCheck] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BodyCheck:
    """Checks bodies of one media type; `further` finds more violations in a body that the schema rejects."""

    check: LenientCheck
    mode: Mode
    further: FurtherCheck | None = None

    def reject_violations(self, body: Any) -> None:
        """Raise InvalidBody with every violation; repair in place the violations that the mode forgives."""
        violations = self.check.violations(body)
        if self.mode == Mode.STRICT and self.check.object_type is not None:
            violations += [Violation(at, UNKNOWN) for at in unknown_members(body, self.check.object_type)]
        if violations:
            if self.further is not None and isinstance(body, dict):
                violations += self.further(body, violations, self.check.accepts)
            raise InvalidBody(violations)


@dataclass(frozen=True, slots=True)
class ParameterCheck:
    name: str
    type: str
    check: SchemaCheck

    def reject_violation(self, text: str) -> None:
        value: Any = text
        if self.type == "integer":
            value = int(text) if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 20 else text
        for violation in self.check.violations(value):
            raise InvalidParameter(f"{self.name}: {violation.expected}")


class ValidatedOperation:
    """Validates the requests of one operation; compiles its checks once, at start."""

    def __init__(self, next_app: App, contract: Contract, operation: Operation, settings: ValidationSettings) -> None:
        self._next_app = next_app
        self._operation = operation
        self._base_path = contract.base_path
        self._settings = settings
        self._takes_body = operation.method in WITH_BODY and bool(operation.bodies)
        self._allowed = allowed_leniencies(settings.mode, contract.leniencies)
        self._bodies = {
            media: BodyCheck(
                self._body_check(contract, media, schema),
                settings.mode,
                settings.further.get((contract.base_path, operation.id)),
            )
            for media, schema in operation.bodies.items()
        }
        self._path, self._query = (_parameter_checks(contract, operation, place) for place in ("path", "query"))
        self._declared = _closed_query(contract, operation)
        # Caches valid query strings; invalid ones raise and are not cached.
        self._reject_new_query = lru_cache(maxsize=KNOWN_QUERIES)(self._reject_wrong_query)
        self._headers = {
            check.name.lower().encode(): check for check in _parameter_checks(contract, operation, "header")
        }

    def _body_check(self, contract: Contract, media: str, schema: dict[str, Any]) -> LenientCheck:
        mode, creates = self._settings.mode, self._operation.creates
        object_type = _object_type_of(contract, self._operation, media)
        if object_type is None and (creates or mode == Mode.STRICT):
            object_type = contract.object_types.described_by(schema)
        return LenientCheck(
            contract.schemas.check(schema, reject_read_only=creates),
            object_type,
            self._allowed if creates else self._allowed - {NULL_AS_MISSING},
            contract.schemas.check(schema, reject_read_only=creates, relaxed=True) if mode == Mode.LENIENT else None,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admit = self._settings.admit
        request = None
        try:
            if admit is admit_everybody:
                granted = EVERYTHING
            else:
                granted = await admit(scope, self._base_path, self._operation.id)
            request = scope[REQUEST] = self._without_body(scope, *granted)
            if self._takes_body:
                await self._read_body(request, scope, receive)
        except TmfError as error:
            await send_error(send, error, scope)
        else:
            await self._next_app(scope, receive, send)
        finally:
            if request is not None:
                # The server keeps the scope until the next request on the connection. Bodies of many connections do
                # not fit into the processor's cache: they made a POST of 100 items take half as long again.
                request.body = None

    def _without_body(self, scope: Scope, principal: Principal, access: Access) -> Request:
        operation, settings = self._operation, self._settings
        request = Request(
            operation.id,
            scope["method"],
            scope["path_params"],
            scope["query_string"].decode("latin-1"),
            fields_of(scope),
            settings.public_base.of(scope),
            "",
            principal,
            access,
            wants_stream=STREAM_ENDS in scope,
        )
        self._reject_wrong_parameters(request)
        if operation.method not in {"get", "head"}:
            request.correlation_id = request.header(b"x-correlation-id") or settings.new_id()
            request.traceparent = traceparent_of(scope)
        return request

    async def _read_body(self, request: Request, scope: Scope, receive: Receive) -> None:
        media_type = self._media_type(request)
        text = await read_body(scope, receive, self._settings.body_limit)
        request.body_size = len(text)
        await run_work(request.body_size, self._parse_body, request, media_type, text)

    def _parse_body(self, request: Request, media_type: str, text: bytes) -> None:
        request.body = parse_json_body(text)
        self._bodies[self._media_type_of_body(request, media_type)].reject_violations(request.body)

    def _reject_wrong_parameters(self, request: Request) -> None:
        for check in self._path:
            check.reject_violation(request.path_parameters[check.name])
        if request.raw_query and (self._query or self._declared is not None):
            reject = self._reject_new_query if len(request.raw_query) <= KNOWN_LENGTH else self._reject_wrong_query
            reject(request.raw_query)
        if not self._headers.keys().isdisjoint(request.headers):
            for name, value in request.headers.items():
                if (header_check := self._headers.get(name)) is not None:
                    header_check.reject_violation(value.decode("latin-1"))

    def _reject_wrong_query(self, raw: str) -> None:
        given = parse_qsl(raw, keep_blank_values=True, encoding="utf-8", errors="replace")
        if self._declared is not None:
            reject_undeclared_parameters((name for name, _ in given), self._declared)
        for name, text in given:
            for check in self._query:
                if check.name == name:
                    check.reject_violation(text)

    def _media_type(self, request: Request) -> str:
        """The media type in lower case; raises UnsupportedMediaType with the accepted types (RFC 5789, RFC 9110)."""
        header = request.header(b"content-type") or ""
        if header in self._bodies and request.header(b"content-encoding") is None:  # how most clients write it
            request.media_type = header
            return header
        media, *parameters = (part.strip().lower() for part in header.split(";"))
        if not media and MISSING_CONTENT_TYPE in self._allowed and JSON in self._bodies:
            count_leniencies([MISSING_CONTENT_TYPE])
            media = JSON
        self._reject_unknown_media_type(media)
        self._reject_content_encoding(request)
        self._reject_other_charsets(parameters)
        request.media_type = media
        return media

    def _reject_unknown_media_type(self, media: str) -> None:
        if media not in self._bodies:
            found = shown(media) if media else "missing"
            raise self._unsupported(f"Content-Type is {found}; expected {', '.join(self._bodies)}")

    def _reject_content_encoding(self, request: Request) -> None:
        encoding = (request.header(b"content-encoding") or "identity").strip().lower()
        if encoding != "identity":
            message = f"Content-Encoding is {shown(encoding)}; send the body as it is, without Content-Encoding"
            raise self._unsupported(message, {"Accept-Encoding": "identity"})

    def _reject_other_charsets(self, parameters: Sequence[str]) -> None:
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "charset" and value.strip().strip('"') != "utf-8":
                raise self._unsupported(f"Content-Type has charset {shown(value)}; expected utf-8, or no charset")

    def _unsupported(self, message: str, headers: Mapping[str, str] | None = None) -> UnsupportedMediaType:
        accepted = {"Accept-Patch": ", ".join(self._bodies)} if self._operation.method == "patch" else {}
        return UnsupportedMediaType(message, {**accepted, **(headers or {})})

    def _media_type_of_body(self, request: Request, media: str) -> str:
        """Treat a list sent as application/json as JSON Patch; reject other mismatched bodies with a hint."""
        body, is_json_patch = request.body, "json-patch" in media
        if JSON_PATCH not in self._bodies or not isinstance(body, dict if is_json_patch else list):
            return media
        if is_json_patch:
            cure = "put the operation into a list" if "op" in body else f"send a merge patch as {MERGE_PATCH}"
            hint = f"expected a list of operations, got an object; {cure}"
            raise InvalidBody([Violation("", hint)])
        if media != JSON:
            hint = f"expected an object, got a list; send a JSON Patch as {JSON_PATCH}"
            raise InvalidBody([Violation("", hint)])
        request.media_type = JSON_PATCH
        return JSON_PATCH


class ValidationAPI(RoutedAPI[ValidatedOperation]):  # type: ignore[misc]
    """The validated operations of one API, for RoutedMiddleware."""

    def __init__(
        self, *args: Any, contracts: Mapping[str, Contract], settings: ValidationSettings, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._contract = contracts[self.base_path]
        self._settings = settings
        self.add_paths()

    def make_operation(self, operation: Any) -> ValidatedOperation:
        stated = self._contract.operations[operation.operation_id]
        return ValidatedOperation(self.next_app, self._contract, stated, self._settings)


class CompiledValidation(RoutedMiddleware[ValidationAPI]):  # type: ignore[misc]
    """Takes the place of RequestValidationMiddleware in Connexion's pipeline."""

    api_cls = ValidationAPI

    def __init__(self, app: App, contracts: Sequence[Contract], settings: ValidationSettings) -> None:
        super().__init__(app)
        self._operations: dict[tuple[str | None, str | None], App] = {}
        self._contracts = {contract.base_path: contract for contract in contracts}
        self._settings = settings

    def add_api(self, specification: Any, **kwargs: Any) -> ValidationAPI:
        api: ValidationAPI = super().add_api(
            specification, contracts=self._contracts, settings=self._settings, **kwargs
        )
        self._operations |= {(api.base_path, id): operation.__call__ for id, operation in api.operations.items()}
        return api

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Find the routed operation by one lookup, and leave everything else to RoutedMiddleware."""
        if scope["type"] == "http" and (route := scope["extensions"].get(ROUTING_CONTEXT)) is not None:
            operation = self._operations.get((route.get("api_base_path"), route.get("operation_id")))
            if operation is not None:
                return operation(scope, receive, send)
        passed_on: Awaitable[None] = super().__call__(scope, receive, send)
        return passed_on


def _object_type_of(contract: Contract, operation: Operation, media: str) -> ObjectType | None:
    """The type of the resource that a body creates or patches."""
    if "json-patch" in media:
        return None
    for resource in contract.resources.values():
        if operation.id in {f"create{resource.name}", f"patch{resource.name}"}:
            return resource.object_type
    return None


def _parameter_checks(contract: Contract, operation: Operation, place: str) -> list[ParameterCheck]:
    """The parameters of one place; the query language checks the open-ended filter object."""
    return [
        ParameterCheck(
            parameter["name"],
            contract.resolve(parameter["schema"]).get("type", "string"),
            contract.schemas.check(parameter["schema"]),
        )
        for parameter in operation.parameters
        if parameter["in"] == place and contract.resolve(parameter["schema"]).get("type") != "object"
    ]


def _closed_query(contract: Contract, operation: Operation) -> tuple[str, ...] | None:
    """The query parameters of an operation that has no others; None if the query language reads its query string."""
    queries = [parameter for parameter in operation.parameters if parameter["in"] == "query"]
    names = tuple(parameter["name"] for parameter in queries)
    is_open = any(contract.resolve(parameter["schema"]).get("type") == "object" for parameter in queries)
    return None if is_open or "fields" in names else names
