"""The composition root: from settings to an ASGI application, once, at start. Reads like a table of contents.

Promise: whatever can be wrong with contracts and handlers is found here, before the first request, in one line.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from a2wsgi import WSGIMiddleware
from connexion import ConnexionMiddleware
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.spec import OpenAPISpecification

from tmf_sales.apis import RULES
from tmf_sales.apis.hub import HubHandlers, RecordMaker, subscription_audit_entry, subscription_queries
from tmf_sales.auth.audit_endpoint import PATH, audit_page
from tmf_sales.auth.policy import SHIPPED, Policy
from tmf_sales.console import create_console
from tmf_sales.console.documents import documents
from tmf_sales.contract.files import contracts_folder as contracts_folder
from tmf_sales.contract.loader import Contract, load_contracts
from tmf_sales.contract.yaml_source import BrokenContract
from tmf_sales.engine.all_violations import FurtherCheck
from tmf_sales.engine.engine import EngineSettings, ResourceEngine
from tmf_sales.engine.hooks import Rules
from tmf_sales.engine.idempotency import IDEMPOTENCY_KIND, Idempotency
from tmf_sales.errors import CannotStart
from tmf_sales.events.delivery_slots import limit_by_open_files
from tmf_sales.events.signing import InvalidSecret, read_secrets
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard
from tmf_sales.events.subscription_limits import SubscriptionLimits
from tmf_sales.events.subscriptions import SUBSCRIPTION_KIND, Hub
from tmf_sales.events.webhook import Webhook
from tmf_sales.events.worker import Delivery, DeliverySettings
from tmf_sales.http import probes
from tmf_sales.http.bounds import Bounds
from tmf_sales.http.context import NO_SECURITY, Security
from tmf_sales.http.dispatch import Dispatcher, Handlers
from tmf_sales.http.hosts import served_hosts
from tmf_sales.http.middleware import App, EntryMiddleware
from tmf_sales.http.responses import Errors
from tmf_sales.http.routing import CompiledRouting, PagesOnlySwaggerUI
from tmf_sales.http.validation import CompiledValidation, ValidationSettings
from tmf_sales.identifiers import new_uuid
from tmf_sales.lifespan import lifespan
from tmf_sales.settings import Settings, variable_of
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Kind, Storage

RuleTable = Mapping[str, Callable[[], Rules]]
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Composition:
    """The service without its HTTP side. `handlers`: base path of an API -> its handlers."""

    settings: Settings
    apis: tuple[Contract, ...]
    store: Storage
    handlers: Mapping[str, Handlers]
    new_id: Callable[[], str]
    delivery: Callable[[], Delivery] | None
    idempotency: Idempotency
    security: Security
    further: Mapping[str, FurtherCheck]
    clock: Clock

    def lifespan(self) -> contextlib.AbstractAsyncContextManager[None]:
        seeded = self.apis if self.settings.seed else ()
        return lifespan(self.store, self.idempotency, seeded=seeded, make_delivery=self.delivery, clock=self.clock)


def compose(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    ids: Callable[[], str] = new_uuid,
    contracts: Path | None = None,
    rules: RuleTable = RULES,
) -> Composition:
    """Raises BrokenContract and ValueError with one line."""
    # Connexion warns of each operation without a token function, and of each media type other than plain JSON.
    logging.getLogger("connexion").setLevel(logging.ERROR)
    apis = load_contracts(contracts or contracts_folder())
    security = create_security(apis, settings)
    store = open_store(settings.store, stored_kinds(apis), statement_timeout=settings.statement_timeout)
    idempotency = Idempotency(store, clock, ids, timedelta(seconds=settings.request_deadline))
    engines = create_engines(apis, rules, store, settings, clock, ids, idempotency)
    hub = create_hub(apis, store, settings)
    audit = partial(subscription_audit_entry, clock=clock, ids=ids) if settings.audits else None
    handlers = {api.base_path: handlers_of(api, engines[api.name], hub, audit) for api in apis}
    chosen = delivery_settings(settings)
    delivery = None if settings.no_delivery else lambda: create_delivery(store, hub, settings, chosen)
    further = {
        id: check for made in engines.values() for engine in made for id, check in engine.further_checks().items()
    }
    return Composition(settings, apis, store, handlers, ids, delivery, idempotency, security, further, clock)


def create_app(settings: Settings, **parts: Any) -> App:
    """The service as one ASGI application; `parts` as for compose, which says what it raises."""
    service = compose(settings, **parts)
    console = create_console(service.apis, settings.public_base)
    has_page = console.url_map.bind("").test
    dispatcher = Dispatcher(
        service.handlers,
        WSGIMiddleware(console),  # type: ignore[arg-type]
        lambda path: bool(has_page(path)),
    )
    connexion_app = ConnexionMiddleware(
        dispatcher,
        middlewares=pipeline(service.apis, validation_settings(service), secured=service.settings.authentication),
        lifespan=lambda _: service.lifespan(),
    )
    with _specification_taken_as_valid():
        for api in service.apis:
            connexion_app.add_api(
                api.document,
                base_path=api.base_path,
                resolver=_no_function,
                security_map=service.security.security_map,
            )
    return gate(connexion_app, service)


def gate(app: App, service: Composition) -> App:
    """The entry middleware around an application: probes, documents, and the bounds on all requests."""
    return EntryMiddleware(
        app,
        {**probes.probes(service.store.ping), **documents(service.apis)},
        {PATH: audit_page(service.store, audited_kinds(service.apis), service.security.may_read_audit)},
        base_paths=(api.base_path for api in service.apis),
        errors=Errors(service.apis),
        bounds=Bounds(
            deadline=service.settings.request_deadline,
            max_concurrent=service.settings.max_concurrent,
            body_memory=max(service.settings.body_memory, service.settings.body_limit),
        ),
        hosts=served_hosts(service.settings),
    )


def swagger_pages(apis: Sequence[Contract]) -> tuple[str, ...]:
    """What the paths of Swagger UI start with."""
    return tuple(f"{api.base_path}/ui" for api in apis)


def validation_settings(service: Composition) -> ValidationSettings:
    settings = service.settings
    return ValidationSettings(
        strict=settings.strict,
        body_limit=settings.body_limit,
        public_url=settings.public_base,
        trusted_hosts={host.lower().encode(): _public_url_of(host, settings) for host in settings.trusted_hosts},
        new_id=service.new_id,
        admit=service.security.admit,
        further=service.further,
    )


def pipeline(apis: Sequence[Contract], validation: ValidationSettings, *, secured: bool) -> list[Any]:
    """Connexion's default middlewares in their order, without those that have nothing to do here.

    Request validation is another one, and the gate renders errors. Nobody asks for Connexion's context, answers are
    validated by tests only, and without authentication there is nobody to verify.
    """
    return [
        partial(PagesOnlySwaggerUI, pages=swagger_pages(apis)),
        partial(CompiledRouting, contracts=apis),
        *([SecurityMiddleware] if secured else []),
        partial(CompiledValidation, contracts=apis, settings=validation),
        LifespanMiddleware,
    ]


def create_security(apis: Sequence[Contract], settings: Settings) -> Security:
    """Raises CannotStart when keys, policy or contracts are not what authentication needs."""
    if not settings.authentication and not settings.rate_limit:
        return NO_SECURITY
    try:
        from tmf_sales.auth import setup
    except ModuleNotFoundError as error:
        needed = f"authentication and rate limits need the package {error.name}: pip install 'tmf-sales[auth]'"
        raise CannotStart(needed) from None

    return setup.create_security(apis, settings)


def create_engines(
    apis: Sequence[Contract],
    rules: RuleTable,
    store: Storage,
    settings: Settings,
    clock: Clock,
    ids: Callable[[], str],
    idempotency: Idempotency,
) -> dict[str, list[ResourceEngine]]:
    """The engine of each resource, by the name of its API; a resource without rules of its own has the contract's."""
    engine_settings = EngineSettings(
        settings.strict, settings.page_default, settings.page_max, settings.count_limit, settings.audits
    )
    for name in rules.keys() - {resource.name for api in apis for resource in api.resources.values()}:
        raise BrokenContract("handlers", f"/{name}", "has rules, but no contract has such a resource")
    engines: dict[str, list[ResourceEngine]] = {}
    for api in apis:
        engines[api.name] = []
        for resource_type in api.resources.values():
            own = rules.get(resource_type.name, Rules)()
            own.configure(settings)
            engines[api.name].append(
                ResourceEngine(resource_type, own, store, engine_settings, clock, ids, idempotency)
            )
    return engines


def handlers_of(
    api: Contract, engines: Sequence[ResourceEngine], hub: Hub, audit: RecordMaker | None = None
) -> Handlers:
    """The handler of each of the API's operations; raises BrokenContract when one has none."""
    known = {**HubHandlers(api, hub, audit).handlers()}
    for engine in engines:
        known |= engine.handlers()
    for operation_id in api.operations.keys() - known.keys():
        raise BrokenContract(api.file, "/paths", f"operation {operation_id} has no handler")
    return {operation_id: known[operation_id] for operation_id in api.operations}


def ssrf_guard(settings: Settings) -> SsrfGuard:
    """A service that only this machine reaches may call this machine; otherwise the operator says what it may call."""
    own = LOOPBACK if settings.only_this_machine_calls else ()
    return SsrfGuard((*settings.callback_networks, *own), require_https=settings.require_https)


def create_hub(apis: Sequence[Contract], store: Storage, settings: Settings) -> Hub:
    api_of = {kind: api.name for api in apis for kind in api.resources}
    guard = ssrf_guard(settings)
    return Hub(
        store,
        subscription_queries(apis, strict=settings.strict),
        guard,
        api_of=api_of,
        own_secrets=settings.listener_secrets,
        # Also where there is no authentication now: who registered when there was shall not get more for that.
        seen_by=Policy.load(settings.policy or SHIPPED, apis).seen_by,
        limits=SubscriptionLimits(settings.listener_limit, settings.subscriptions_per_host),
    )


def delivery_settings(settings: Settings, poll: float = 1.0) -> DeliverySettings:
    """`poll`: look for other processes' events every so many seconds. Raises CannotStart for a bad secret."""
    try:
        secrets = read_secrets(settings.webhook_secret)
    except InvalidSecret as error:
        raise CannotStart(f"{variable_of('webhook_secret')} is not valid (its value is not shown): {error}") from None
    return DeliverySettings(
        secrets=secrets,
        poll=poll,
        retention=settings.event_retention.total_seconds(),
        per_host=settings.delivery_connections_per_host,
        connections=limit_by_open_files(settings.delivery_connections),
    )


def create_delivery(store: Storage, hub: Hub, settings: Settings, chosen: DeliverySettings) -> Delivery:
    """A delivery worker for a store that is open."""
    webhook = Webhook(ssrf_guard(settings), connections=chosen.connections)
    return Delivery(store.events, hub, webhook, chosen)


def audited_kinds(apis: Sequence[Contract]) -> frozenset[str]:
    return frozenset({SUBSCRIPTION_KIND.name}.union(*(api.resources for api in apis)))


def stored_kinds(apis: Sequence[Contract]) -> tuple[Kind, ...]:
    own = tuple(resource.stored_kind() for api in apis for resource in api.resources.values())
    return (*own, SUBSCRIPTION_KIND, IDEMPOTENCY_KIND)


def _public_url_of(host: str, settings: Settings) -> str:
    scheme = settings.public_base.partition("://")[0]
    return f"{scheme}://{host}"


def _no_function(_operation_id: str) -> Callable[[], None]:
    """Connexion wants a function for each operation; ours are found by the dispatcher."""
    return lambda: None


@contextlib.contextmanager
def _specification_taken_as_valid() -> Iterator[None]:
    """Connexion would validate each contract again at each start, for 100 ms; tests and `tmf-sales check` do it."""
    validate = OpenAPISpecification._validate_spec
    OpenAPISpecification._validate_spec = classmethod(lambda _cls, _spec: None)
    try:
        yield
    finally:
        OpenAPISpecification._validate_spec = validate
