"""The composition root: from settings to an ASGI application, once, at start. Reads like a table of contents.

Promise: whatever can be wrong with contracts and handlers is found here, before the first request, in one line.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from a2wsgi import WSGIMiddleware
from connexion import ConnexionMiddleware
from connexion.middleware.context import ContextMiddleware
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.middleware.response_validation import ResponseValidationMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.middleware.server_error import ServerErrorMiddleware
from connexion.middleware.swagger_ui import SwaggerUIMiddleware

from tmf_sales import handlers, observe
from tmf_sales.answers import error_handlers
from tmf_sales.console import create_console
from tmf_sales.console.documents import documents
from tmf_sales.dispatch import Dispatcher, Handlers
from tmf_sales.ingress import App, Ingress
from tmf_sales.settings import Settings
from tmf_sales.storage import Kind, Storage
from tmf_sales.storage.opening import open_store
from tmf_sales.tmf630.contract import BrokenContract, Contract, load_contracts
from tmf_sales.tmf630.resource import EngineSettings, ResourceEngine
from tmf_sales.tmf630.rules import Rules
from tmf_sales.validation import CompiledValidation, ValidationSettings

API_PREFIX = "/tmf-api/"

RuleTable = Mapping[str, Callable[[], Rules]]
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_uuid() -> str:
    return str(uuid.uuid4())


def contracts_folder() -> Path:
    """Where the contracts are: beside the sources in a checkout, inside the package when it is installed."""
    packaged = Path(__file__).with_name("openapi")
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "openapi"


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    ids: Callable[[], str] = new_uuid,
    contracts: Path | None = None,
    rules: RuleTable = handlers.RULES,
) -> App:
    """The service as one ASGI application; raises BrokenContract and ValueError with one line."""
    apis = load_contracts(contracts or contracts_folder())
    store = open_store(settings.store, stored_kinds(apis), statement_timeout=settings.statement_timeout)
    engines = create_engines(apis, rules, store, settings, clock, ids)
    console = create_console(apis)
    has_page = console.url_map.bind("").test
    dispatcher = Dispatcher(
        {api.base_path: handlers_of(api, engines[api.name], store) for api in apis},
        WSGIMiddleware(console),  # type: ignore[arg-type]
        lambda path: bool(has_page(path)),
    )
    connexion_app = ConnexionMiddleware(
        dispatcher,
        middlewares=pipeline(apis, settings, ids),
        lifespan=lambda _: lifespan(store),
    )
    for api in apis:
        connexion_app.add_api(api.document, base_path=api.base_path, resolver=_no_function)
    for kind, handler in error_handlers(apis):
        connexion_app.add_error_handler(kind, handler)
    return Ingress(
        connexion_app,
        {**observe.probes(store.ping), **documents(apis)},
        api_prefix=API_PREFIX,
        pages=tuple(f"{api.base_path}/ui" for api in apis),
        deadline=settings.request_deadline,
        max_concurrent=settings.max_concurrent,
    )


def pipeline(apis: Sequence[Contract], settings: Settings, ids: Callable[[], str]) -> list[Any]:
    """Connexion's default middlewares in their order; only request validation is another one."""
    validation = ValidationSettings(
        strict=settings.strict,
        body_limit=settings.body_limit,
        patience=settings.request_deadline,
        public_url=settings.public_base,
        trusted_hosts={host.lower().encode(): _public_url_of(host, settings) for host in settings.trusted_hosts},
        new_id=ids,
    )
    return [
        ServerErrorMiddleware,
        ExceptionMiddleware,
        SwaggerUIMiddleware,
        RoutingMiddleware,
        SecurityMiddleware,
        partial(CompiledValidation, contracts=apis, settings=validation),
        ResponseValidationMiddleware,
        LifespanMiddleware,
        ContextMiddleware,
    ]


def create_engines(
    apis: Sequence[Contract],
    rules: RuleTable,
    store: Storage,
    settings: Settings,
    clock: Clock,
    ids: Callable[[], str],
) -> dict[str, list[ResourceEngine]]:
    """The engine of each resource, by the name of its API; a resource without rules of its own has the contract's."""
    engine_settings = EngineSettings(settings.strict, settings.page_default, settings.page_max, settings.count_limit)
    engines: dict[str, list[ResourceEngine]] = {}
    for api in apis:
        engines[api.name] = []
        for resource_type in api.resources.values():
            own = rules.get(resource_type.name, Rules)()
            own.configure(settings)
            engines[api.name].append(ResourceEngine(resource_type, own, store, engine_settings, clock, ids))
    return engines


def handlers_of(api: Contract, engines: Sequence[ResourceEngine], store: Storage) -> Handlers:
    """The handler of each of the API's operations; raises BrokenContract when one of them has none."""
    known = {**handlers.hub.hub_handlers(api, store)}
    for engine in engines:
        known |= engine.handlers()
    for operation_id in api.operations.keys() - known.keys():
        raise BrokenContract(api.file, "/paths", f"operation {operation_id} has no handler")
    return {operation_id: known[operation_id] for operation_id in api.operations}


def stored_kinds(apis: Sequence[Contract]) -> tuple[Kind, ...]:
    own = tuple(resource.stored_kind() for api in apis for resource in api.resources.values())
    return (*own, Kind(handlers.hub.LISTENER))


@contextlib.asynccontextmanager
async def lifespan(store: Storage) -> AsyncIterator[None]:
    """Open the store before the first request; then keep what start made out of the garbage collector's way."""
    logging.getLogger("connexion").setLevel(logging.ERROR)
    await store.open()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        await store.close()


def _public_url_of(host: str, settings: Settings) -> str:
    scheme = settings.public_base.partition("://")[0]
    return f"{scheme}://{host}"


def _no_function(_operation_id: str) -> Callable[[], None]:
    """Connexion wants a function for each operation; ours are found by the dispatcher."""
    return lambda: None
