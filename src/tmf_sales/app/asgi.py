"""Builds the ASGI application from the settings, once, at start: the composition, Connexion over it, the gate."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from connexion import ConnexionMiddleware
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.spec import OpenAPISpecification

from tmf_sales.app.composition import Composition, compose
from tmf_sales.app.gate import gate
from tmf_sales.app.index_pages import IndexPages
from tmf_sales.configuration.settings import Settings
from tmf_sales.console.paths import has_page
from tmf_sales.contract.leniency import Mode
from tmf_sales.contract.loader import Contract
from tmf_sales.http.dispatch import Dispatcher
from tmf_sales.http.middleware import App
from tmf_sales.http.public_base import public_base_of
from tmf_sales.http.routing import CompiledRouting
from tmf_sales.http.validation import CompiledValidation, ValidationSettings

log = logging.getLogger("tmf_sales")


def create_app(settings: Settings, **parts: Any) -> App:
    """Build the service as one ASGI application; takes the `parts` and raises the exceptions of compose."""
    service = compose(settings, **parts)
    for api in service.apis:
        if api.replaces:
            log.warning("%s replaces the shipped %s: both have the base path %s", api.file, api.replaces, api.base_path)
    pages = IndexPages(service.apis, public_base_of(settings))
    dispatcher = Dispatcher(service.handlers, pages, has_page)
    connexion_app = ConnexionMiddleware(
        dispatcher,
        middlewares=pipeline(service.apis, validation_settings(service), secured=service.settings.authentication),
        lifespan=lambda _: service.lifespan(),
    )
    with _specification_taken_as_valid():
        for api in service.apis:
            connexion_app.add_api(
                document_for_connexion(api),
                base_path=api.base_path,
                resolver=_no_function,
                security_map=service.security.security_map,
            )
    return gate(connexion_app, service, has_page)


def validation_settings(service: Composition) -> ValidationSettings:
    settings = service.settings
    return ValidationSettings(
        mode=Mode(settings.mode),
        body_limit=settings.body_limit,
        public_base=public_base_of(settings),
        new_id=service.new_id,
        admit=service.security.admit,
        further=service.further,
    )


def pipeline(apis: Sequence[Contract], validation: ValidationSettings, *, secured: bool) -> list[Any]:
    """Connexion's default middlewares in their order, without those that the service does not need.

    CompiledValidation replaces request validation, and the gate renders errors. Nothing uses Connexion's context, only
    tests validate responses, and without authentication there are no credentials to verify.
    """
    return [
        partial(CompiledRouting, contracts=apis),
        *([SecurityMiddleware] if secured else []),
        partial(CompiledValidation, contracts=apis, settings=validation),
        LifespanMiddleware,
    ]


def document_for_connexion(api: Contract) -> dict[str, Any]:
    """Return what Connexion needs of a contract to route and secure requests: paths, their parameters, and security.

    Connexion copies the document several times; copies of the types took 20 ms of a start, and nothing would use them.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in api.operations.values():
        stated = api.document["paths"][operation.path][operation.method]
        in_path = [each for each in operation.parameters if each["in"] == "path"]
        paths.setdefault(operation.path, {})[operation.method] = {
            "operationId": operation.id,
            "parameters": [{**each, "schema": api.resolve(each["schema"])} for each in in_path],
            "responses": {},
            **_members(stated, "security"),
        }
    top = _members(api.document, "openapi", "info", "servers", "security")
    return {**top, "components": _members(api.document["components"], "securitySchemes"), "paths": paths}


def _members(node: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: node[name] for name in names if name in node}


def _no_function(_operation_id: str) -> Callable[[], None]:
    """Satisfy Connexion, which wants a function for each operation; the dispatcher finds our handlers."""
    return lambda: None


@contextlib.contextmanager
def _specification_taken_as_valid() -> Iterator[None]:
    """Skip Connexion's validation of each contract, 100 ms of a start; tests and `tmf-sales check` validate them.

    Connexion has no switch for it: connexion/spec.py calls `_validate_spec` unconditionally. Slow starts are
    https://github.com/spec-first/connexion/issues/1801. Remove when it has one (tests/http/test_library_internals.py).
    """
    validate = OpenAPISpecification._validate_spec
    OpenAPISpecification._validate_spec = classmethod(lambda _cls, _spec: None)
    try:
        yield
    finally:
        OpenAPISpecification._validate_spec = validate
