"""The composition root: builds the ASGI application from the settings, once, at start.

Guarantee: faults in contracts, rules and handlers are reported here, before the first request.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
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

from tmf_sales.access import FULL_ACCESS, Principal
from tmf_sales.apis.deliveries import DeliveryHandlers
from tmf_sales.apis.event_log import EventHandlers, EventSettings
from tmf_sales.apis.hub import HubHandlers, RecordMaker, subscription_audit_entry
from tmf_sales.apis.registry import RulesTable
from tmf_sales.auth.audit_endpoint import PATH as AUDIT
from tmf_sales.auth.audit_endpoint import audit_page
from tmf_sales.auth.health_endpoint import PATH as HEALTH
from tmf_sales.auth.health_endpoint import Health, health_page
from tmf_sales.auth.permissions_endpoint import PATH as PERMISSIONS
from tmf_sales.auth.permissions_endpoint import permissions_page
from tmf_sales.auth.policy import Policy
from tmf_sales.console import create_console
from tmf_sales.console.documents import documents
from tmf_sales.console.swagger_ui import swagger_ui
from tmf_sales.console.webapp import PATH as CONSOLE_PATH
from tmf_sales.console.webapp import SignIn, console
from tmf_sales.context import Context, create_context, ssrf_guard
from tmf_sales.contract.leniency import Mode
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.operations import EVENT, EVENT_VERBS
from tmf_sales.contract.yaml_source import BrokenContract, BrokenContracts
from tmf_sales.edge.cors import allow_origins
from tmf_sales.edge.forwarded import trust_proxies
from tmf_sales.edge.options import options
from tmf_sales.engine.all_violations import FurtherCheck
from tmf_sales.engine.engine import EngineSettings, ResourceEngine
from tmf_sales.engine.expansion import References
from tmf_sales.engine.idempotency import Idempotency
from tmf_sales.errors import CannotStart
from tmf_sales.events.delivery_slots import limit_by_open_files
from tmf_sales.events.signing import InvalidSecret, Secret, read_secrets
from tmf_sales.events.subscriptions import SUBSCRIPTION_KIND, Hub
from tmf_sales.events.visibility import SeenBy
from tmf_sales.events.webhook import TIMEOUT
from tmf_sales.events.webhook_check import WebhookChecks
from tmf_sales.events.worker import Delivery, DeliverySettings
from tmf_sales.http.bounds import Bounds
from tmf_sales.http.context import NO_SECURITY, Security
from tmf_sales.http.dispatch import Dispatcher, Handlers
from tmf_sales.http.hosts import ServedHosts, served_hosts
from tmf_sales.http.middleware import App, EntryMiddleware
from tmf_sales.http.public_base import public_base_of
from tmf_sales.http.response_headers import ResponseHeaders
from tmf_sales.http.responses import Errors
from tmf_sales.http.routing import CompiledRouting
from tmf_sales.http.validation import CompiledValidation, ValidationSettings
from tmf_sales.identifiers import new_uuid
from tmf_sales.lifespan import lifespan
from tmf_sales.query.paging import Paging
from tmf_sales.settings import Settings, variable_of
from tmf_sales.storage.protocol import Storage
from tmf_sales.telemetry.delivery import ObservedWebhook
from tmf_sales.telemetry.endpoint import PATH as METRICS_PATH
from tmf_sales.telemetry.endpoint import choose_by_port, management_app
from tmf_sales.telemetry.requests import RequestTelemetry
from tmf_sales.telemetry.setup import Telemetry, create_telemetry

Clock = Callable[[], datetime]
HasPage = Callable[[str], bool]

log = logging.getLogger("tmf_sales")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Composition:
    """The service without its HTTP side. `handlers`: base path of an API -> its handlers."""

    context: Context
    telemetry: Telemetry
    handlers: Mapping[str, Handlers]
    new_id: Callable[[], str]
    delivery: Callable[[], Delivery] | None
    idempotency: Idempotency
    security: Security
    further: Mapping[tuple[str, str], FurtherCheck]
    clock: Clock

    @property
    def settings(self) -> Settings:
        return self.context.settings

    @property
    def apis(self) -> tuple[Contract, ...]:
        return self.context.apis

    @property
    def store(self) -> Storage:
        return self.context.store

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        seeded = self.apis if self.settings.seed else ()
        async with (
            lifespan(self.store, self.idempotency, seeded=seeded, make_delivery=self.delivery, clock=self.clock),
            self.telemetry.running(),
        ):
            yield


def compose(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    ids: Callable[[], str] = new_uuid,
    contracts: Path | None = None,
    rules: RulesTable | None = None,
) -> Composition:
    """Build the service; `contracts` and `rules` replace the shipped ones. Raises the exceptions of create_context."""
    # Connexion warns about each operation without a token function and each media type other than plain JSON.
    logging.getLogger("connexion").setLevel(logging.ERROR)
    context = create_context(settings, shipped=contracts, rules=rules)
    security = create_security(context.apis, settings)
    idempotency = Idempotency(context.store, clock, ids, timedelta(seconds=settings.request_deadline))
    checks = webhook_checks(settings, clock, ids)
    seen_by = load_policy(context.apis, settings).seen_by
    references = create_references(context, seen_by)
    engines = create_engines(context, clock, ids, idempotency, references)
    audit = partial(subscription_audit_entry, clock=clock, ids=ids) if settings.audits else None
    handlers = {
        api.base_path: handlers_of(
            api,
            engines[api.name],
            context.hub,
            audit,
            EventHandlers(api, context.store, seen_by, event_settings(settings)),
            DeliveryHandlers(api, context.hub, checks, time_limit=settings.statement_timeout, audit=audit),
        )
        for api in context.apis
    }
    chosen = delivery_settings(settings)
    telemetry = create_telemetry(context.apis, context.store, context.hub, settings.workers)
    delivery = None if settings.no_delivery else lambda: create_delivery(context, chosen, telemetry)
    further = {
        (api.base_path, id): check
        for api in context.apis
        for engine in engines[api.name]
        for id, check in engine.further_checks().items()
    }
    return Composition(context, telemetry, handlers, ids, delivery, idempotency, security, further, clock)


def create_app(settings: Settings, **parts: Any) -> App:
    """Build the service as one ASGI application; takes the `parts` and raises the exceptions of compose."""
    service = compose(settings, **parts)
    for api in service.apis:
        if api.replaces:
            log.warning("%s replaces the shipped %s: both have the base path %s", api.file, api.replaces, api.base_path)
    index = create_console(service.apis, public_base_of(settings))
    test_path = index.url_map.bind("").test

    def has_page(path: str) -> bool:
        return bool(test_path(path))

    dispatcher = Dispatcher(service.handlers, WSGIMiddleware(index), has_page)  # type: ignore[arg-type]
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
    return gate(connexion_app, service, has_page)


def gate(app: App, service: Composition, has_page: HasPage = lambda _path: False) -> App:
    """Wrap the application: metrics, CORS, proxies, probes, documents and the limits on all requests.

    `has_page` accepts the paths of the pages that the application itself serves.
    """
    public_base, issuer = public_base_of(service.settings), service.settings.jwt_issuer
    pages = {**documents(service.apis, public_base, issuer), **swagger_ui(service.apis, public_base, issuer)}
    hosts, probes = served_hosts(service.settings), service.telemetry.probes()
    observed = RequestTelemetry(service.telemetry, {*probes, METRICS_PATH}, {*pages, HEALTH, PERMISSIONS}, AUDIT)
    entry = partial(entry_middleware, app, service, hosts=hosts, has_page=has_page)
    through_proxies = trust_proxies(with_metrics(entry, service, {**probes, **pages}, hosts), service.settings)
    return ResponseHeaders(allow_origins(through_proxies, service.settings.cors_origins), observed)


def with_metrics(
    entry: Callable[[Mapping[str, App]], App], service: Composition, pages: Mapping[str, App], hosts: ServedHosts | None
) -> App:
    """Serve /metrics beside the other pages, or on the management port alone."""
    port = service.settings.management_port
    if port is None:
        own = service.telemetry.metrics_page(service.security.may_read_metrics)
        return entry({**pages, **own})
    management = {**service.telemetry.probes(), **service.telemetry.metrics_page()}
    return choose_by_port(port, management_app(management, hosts), entry(pages))


def entry_middleware(
    app: App, service: Composition, pages: Mapping[str, App], *, hosts: ServedHosts | None, has_page: HasPage
) -> App:
    """Serve the pages, the console, /audit, /health, /permissions and the API within the limits on all requests."""
    own = own_pages(service)
    served = frozenset({*pages, *own})
    return EntryMiddleware(
        app,
        pages,
        own,
        options=options(
            service.apis,
            public_base_of(service.settings),
            lambda path: path in served or has_page(path) or is_below(CONSOLE_PATH, path),
        ),
        base_paths=(api.base_path for api in service.apis),
        errors=Errors(service.apis),
        bounds=Bounds(
            deadline=service.settings.request_deadline,
            max_concurrent=service.settings.max_concurrent,
            body_memory=max(service.settings.body_memory, service.settings.body_limit),
        ),
        hosts=hosts,
        streams=stream_paths(service.apis),
        max_streams=service.settings.event_streams,
        trees={CONSOLE_PATH: console(service.apis, sign_in(service.settings), public_base_of(service.settings))},
    )


def is_below(root: str, path: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def sign_in(settings: Settings) -> SignIn:
    return SignIn(settings.authentication, settings.jwt_issuer, settings.console_client_id)


def own_pages(service: Composition) -> dict[str, App]:
    """The pages about the service and its caller, which are no part of a contract."""
    settings, security, scopes = service.settings, service.security, audit_scopes(service.apis)
    policy = load_policy(service.apis, settings) if settings.authentication else None
    health = Health(settings, service.apis, service.store, service.context.hub, service.clock())
    return {
        AUDIT: audit_page(service.store, scopes, security.may_read_audit),
        PERMISSIONS: permissions_page(service.apis, policy, security.identify),
        HEALTH: health_page(health, scopes[SUBSCRIPTION_KIND.name], security.may_read_health),
    }


def stream_paths(apis: Sequence[Contract]) -> Iterator[str]:
    """The paths of the operations that can also respond with an event stream."""
    for api in apis:
        for operation in api.operations.values():
            if operation.id in {verb.operation_id(EVENT) for verb in EVENT_VERBS}:
                yield f"{api.base_path}{operation.path}"


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


def create_security(apis: Sequence[Contract], settings: Settings) -> Security:
    """Set up authentication; raise CannotStart when keys, policy or contracts do not allow it."""
    if not settings.authentication and not settings.rate_limit:
        return NO_SECURITY
    try:
        from tmf_sales.auth import setup
    except ModuleNotFoundError as error:
        needed = f"authentication and rate limits need the package {error.name}: pip install 'tmf-sales[auth]'"
        raise CannotStart(needed) from None

    return setup.create_security(apis, settings)


def create_references(context: Context, seen_by: Callable[[Principal], SeenBy]) -> References:
    """Create what finds the resources of all APIs that references refer to; without authentication it finds all."""
    types = (resource for api in context.apis for resource in api.resources.values())
    return References(types, context.store, seen_by if context.settings.authentication else _all_seen)


def _all_seen(_principal: Principal) -> SeenBy:
    return lambda _kind: FULL_ACCESS


def create_engines(
    context: Context, clock: Clock, ids: Callable[[], str], idempotency: Idempotency, references: References
) -> dict[str, list[ResourceEngine]]:
    """Create the engine of each resource, by the name of its API."""
    settings = context.settings
    engine_settings = EngineSettings(
        Mode(settings.mode),
        settings.page_default,
        settings.page_max,
        settings.count_limit,
        settings.page_bytes,
        settings.audits,
    )
    return {
        api.name: [
            ResourceEngine(
                resource,
                context.rules[resource.kind],
                context.store,
                engine_settings,
                clock,
                ids,
                idempotency,
                references,
            )
            for resource in api.resources.values()
        ]
        for api in context.apis
    }


def handlers_of(
    api: Contract,
    engines: Sequence[ResourceEngine],
    hub: Hub,
    audit: RecordMaker | None,
    events: EventHandlers,
    deliveries: DeliveryHandlers,
) -> Handlers:
    """Find the handler of each operation of the API; raise BrokenContracts when one has none."""
    known = {**HubHandlers(api, hub, audit).handlers(), **events.handlers(), **deliveries.handlers()}
    for engine in engines:
        known |= engine.handlers()
    if unknown := sorted(api.operations.keys() - known.keys()):
        faults = (BrokenContract(api.file, "/paths", f"operation {id} has no handler") for id in unknown)
        raise BrokenContracts(faults)
    return {operation_id: known[operation_id] for operation_id in api.operations}


def load_policy(apis: Sequence[Contract], settings: Settings) -> Policy:
    """Load the policy, even without authentication: subscriptions made under authentication keep their restrictions."""
    return Policy.for_apis(settings.policy, apis)


def event_settings(settings: Settings) -> EventSettings:
    return EventSettings(
        strict=settings.mode == "strict",
        paging=Paging(settings.page_default, settings.page_max, settings.count_limit),
        time_limit=settings.statement_timeout,
        streams_per_caller=settings.event_streams_per_caller,
    )


def delivery_settings(settings: Settings, poll: float = 1.0) -> DeliverySettings:
    """Settings of delivery; `poll`: seconds between looks for other processes' events. Raises CannotStart."""
    return DeliverySettings(
        secrets=service_secrets(settings),
        poll=poll,
        retention=settings.event_retention.total_seconds(),
        audit_retention=settings.audit_retention.total_seconds() if settings.audit_retention is not None else None,
        per_host=settings.delivery_connections_per_host,
        connections=limit_by_open_files(settings.delivery_connections),
    )


def service_secrets(settings: Settings) -> tuple[Secret, ...]:
    """The secrets that sign for subscriptions without their own. Raises CannotStart."""
    try:
        return read_secrets(settings.webhook_secret)
    except InvalidSecret as error:
        raise CannotStart(f"{variable_of('webhook_secret')} is not valid (its value is not shown): {error}") from None


def webhook_checks(settings: Settings, clock: Clock, ids: Callable[[], str]) -> WebhookChecks:
    """Create the sender of test events, which ends within the deadline of requests. Raises CannotStart."""
    timeout = min(TIMEOUT, 0.8 * settings.request_deadline)
    return WebhookChecks(ssrf_guard(settings), service_secrets(settings), clock, ids, timeout=timeout)


def create_delivery(context: Context, chosen: DeliverySettings, telemetry: Telemetry) -> Delivery:
    """Create a delivery worker; the store must be open."""
    webhook = ObservedWebhook(ssrf_guard(context.settings), connections=chosen.connections)
    webhook.metrics, webhook.tracing = telemetry.metrics, telemetry.tracing
    return Delivery(context.events, context.hub, webhook, chosen)


def audit_scopes(apis: Sequence[Contract]) -> dict[str, tuple[str, ...]]:
    """The kinds that have an audit log, each with the scopes that a token needs to read it."""
    by_kind = {each.kind: (f"{api.name}:admin",) for api in apis for each in api.resources.values()}
    return {**by_kind, SUBSCRIPTION_KIND.name: tuple(f"{api.name}:admin" for api in apis)}


def _no_function(_operation_id: str) -> Callable[[], None]:
    """Satisfy Connexion, which wants a function for each operation; the dispatcher finds our handlers."""
    return lambda: None


@contextlib.contextmanager
def _specification_taken_as_valid() -> Iterator[None]:
    """Skip Connexion's validation of each contract, 100 ms of a start; tests and `tmf-sales check` validate them.

    Connexion has no switch for it (connexion/spec.py calls `_validate_spec` unconditionally). Remove when it has one.
    """
    validate = OpenAPISpecification._validate_spec
    OpenAPISpecification._validate_spec = classmethod(lambda _cls, _spec: None)
    try:
        yield
    finally:
        OpenAPISpecification._validate_spec = validate
