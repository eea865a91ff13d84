"""Builds the service without its HTTP side: contracts, store, engines, handlers, security and delivery.

Guarantee: faults in contracts, rules and handlers are reported here, before the first request.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from tmf_sales.access import FULL_ACCESS, Principal
from tmf_sales.apis.deliveries import DeliveryHandlers
from tmf_sales.apis.event_log import EventHandlers, EventSettings
from tmf_sales.apis.hub import HubHandlers, RecordMaker, subscription_audit_entry
from tmf_sales.apis.registry import RulesTable, registered_rules
from tmf_sales.app.context import Context, configured_rules, create_context
from tmf_sales.app.delivery_setup import create_delivery, delivery_settings, webhook_checks
from tmf_sales.app.lifespan import lifespan
from tmf_sales.auth.current_policy import CurrentPolicy
from tmf_sales.configuration.reloading import PutIntoForce, Reloading
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.leniency import Mode
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.yaml_source import BrokenContract, BrokenContracts
from tmf_sales.engine.all_violations import FurtherCheck
from tmf_sales.engine.engine import EngineSettings, ResourceEngine
from tmf_sales.engine.expansion import References
from tmf_sales.engine.idempotency import Idempotency
from tmf_sales.errors import CannotStart
from tmf_sales.events.delivery.worker import Delivery
from tmf_sales.events.subscriptions import Hub
from tmf_sales.events.visibility import SeenBy
from tmf_sales.http.context import NO_SECURITY, Security
from tmf_sales.http.dispatch import Handlers
from tmf_sales.query.paging import Paging
from tmf_sales.storage.protocol import Storage
from tmf_sales.telemetry.certificate import expiry_of
from tmf_sales.telemetry.metrics import Metrics
from tmf_sales.telemetry.setup import Telemetry, create_telemetry
from tmf_sales.values.identifiers import new_uuid

Clock = Callable[[], datetime]


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
    def policy(self) -> CurrentPolicy:
        return self.context.policy

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
    reloading: Reloading | None = None,
) -> Composition:
    """Build the service; `contracts` and `rules` replace the shipped ones. Raises the exceptions of create_context.

    `reloading` gets what a reload of the service changes.
    """
    # Connexion warns about each operation without a token function and each media type other than plain JSON.
    logging.getLogger("connexion").setLevel(logging.ERROR)
    context = create_context(settings, shipped=contracts, rules=rules)
    policy = context.policy
    security = create_security(context.apis, settings, policy)
    idempotency = Idempotency(context.store, clock, ids, timedelta(seconds=settings.request_deadline))
    references = create_references(context, policy.seen_by)
    engines = create_engines(context, clock, ids, idempotency, references)
    handlers = create_handlers(context, engines, clock, ids)
    further = further_checks(context.apis, engines)
    chosen = delivery_settings(settings)
    telemetry = create_telemetry(context.apis, context.store, context.hub, settings.workers)
    delivery = None if settings.no_delivery else lambda: create_delivery(context, chosen, telemetry)
    if reloading is not None:
        reload_rules = partial(prepare_rules, context.apis, rules, [it for each in engines.values() for it in each])
        reload_certificate = partial(prepare_certificate_metric, telemetry.metrics)
        for prepare in (policy.prepare, security.prepare, reload_rules, reload_certificate):
            reloading.add(prepare)
    prepare_certificate_metric(telemetry.metrics, settings)()
    return Composition(context, telemetry, handlers, ids, delivery, idempotency, security, further, clock)


def create_handlers(
    context: Context, engines: Mapping[str, Sequence[ResourceEngine]], clock: Clock, ids: Callable[[], str]
) -> dict[str, Handlers]:
    """The handlers of each API's operations, by its base path."""
    settings = context.settings
    checks = webhook_checks(settings, clock, ids)
    audit = partial(subscription_audit_entry, clock=clock, ids=ids) if settings.audits else None
    return {
        api.base_path: handlers_of(
            api,
            engines[api.name],
            context.hub,
            audit,
            EventHandlers(api, context.store, context.policy.always_seen_by, event_settings(settings)),
            DeliveryHandlers(api, context.hub, checks, time_limit=settings.statement_timeout, audit=audit),
        )
        for api in context.apis
    }


def further_checks(
    apis: Sequence[Contract], engines: Mapping[str, Sequence[ResourceEngine]]
) -> dict[tuple[str, str], FurtherCheck]:
    """The checks that find further violations in a body that its contract rejects, by base path and operationId."""
    return {
        (api.base_path, id): check
        for api in apis
        for engine in engines[api.name]
        for id, check in engine.further_checks().items()
    }


def prepare_rules(
    apis: Sequence[Contract], rules: RulesTable | None, engines: Sequence[ResourceEngine], settings: Settings
) -> PutIntoForce:
    """Configure the rules anew, with their price books; return what puts them into force. Raises ValueError."""
    configured = configured_rules(apis, registered_rules() if rules is None else rules, settings)

    def replace() -> None:
        for engine in engines:
            engine.use_rules(configured[engine.type.kind])

    return replace


def prepare_certificate_metric(metrics: Metrics, settings: Settings) -> PutIntoForce:
    """Read when the certificate expires; return what shows it."""
    return partial(setattr, metrics, "certificate_expiry", settings.tls_cert and expiry_of(settings.tls_cert))


def create_security(apis: Sequence[Contract], settings: Settings, policy: CurrentPolicy) -> Security:
    """Set up authentication; raise CannotStart when keys, policy or contracts do not allow it."""
    if not settings.authentication and not settings.rate_limit:
        return NO_SECURITY
    try:
        from tmf_sales.auth import setup
    except ModuleNotFoundError as error:
        needed = f"authentication and rate limits need the package {error.name}: pip install 'tmf-sales[auth]'"
        raise CannotStart(needed) from None

    return setup.create_security(apis, settings, policy)


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


def event_settings(settings: Settings) -> EventSettings:
    return EventSettings(
        strict=settings.mode == "strict",
        paging=Paging(settings.page_default, settings.page_max, settings.count_limit),
        time_limit=settings.statement_timeout,
        streams_per_caller=settings.event_streams_per_caller,
    )
