"""Builds the context that the service and every command share: settings, contracts, rules, store and hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tmf_sales.apis.hub import subscription_queries
from tmf_sales.apis.registry import RulesTable, name_of_rules, registered_rules
from tmf_sales.auth.current_policy import CurrentPolicy
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import Contract, load_contracts
from tmf_sales.engine.hooks import Rules
from tmf_sales.engine.idempotency import IDEMPOTENCY_KIND
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard
from tmf_sales.events.subscription_limits import SubscriptionLimits
from tmf_sales.events.subscriptions import SUBSCRIPTION_KIND, Hub
from tmf_sales.storage.events import EventStore
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Kind


@dataclass(frozen=True, slots=True)
class Context:
    """The shared parts of the service. `rules`: the configured rules by kind of resource; `store` is not open yet."""

    settings: Settings
    apis: tuple[Contract, ...]
    rules: Mapping[str, Rules]
    store: Storage
    hub: Hub
    policy: CurrentPolicy

    @property
    def events(self) -> EventStore:
        """The log and the delivery queues of the store, once it is open."""
        return self.store.events


def create_context(settings: Settings, *, shipped: Path | None = None, rules: RulesTable | None = None) -> Context:
    """Build the context; `shipped` and `rules` replace the shipped contracts and the registered rules.

    Raises BrokenContracts or another CannotStart, or a ValueError with a one-line message.
    """
    apis = load_contracts(shipped or contracts_folder(), settings.contracts, settings.apis)
    table = registered_rules() if rules is None else rules
    store = open_store(settings.store, stored_kinds(apis), statement_timeout=settings.statement_timeout)
    policy = CurrentPolicy.load(settings, apis)
    hub = create_hub(apis, store, settings, policy)
    return Context(settings, apis, configured_rules(apis, table, settings), store, hub, policy)


def configured_rules(apis: Sequence[Contract], table: RulesTable, settings: Settings) -> dict[str, Rules]:
    """The rules of each resource; one without registered rules only follows its contract."""
    configured: dict[str, Rules] = {}
    for api in apis:
        for resource in api.resources.values():
            name = name_of_rules(table, api.name, resource.name)
            own = table[name]() if name is not None else Rules()
            if name is not None and (of := getattr(table[name], "settings_type", None)) is not None:
                own.configure(settings.of_apis.get(name) or of())
            configured[resource.kind] = own
    return configured


def stored_kinds(apis: Sequence[Contract]) -> tuple[Kind, ...]:
    own = tuple(resource.stored_kind() for api in apis for resource in api.resources.values())
    return (*own, SUBSCRIPTION_KIND, IDEMPOTENCY_KIND)


def audited_kinds(apis: Sequence[Contract]) -> frozenset[str]:
    return frozenset({SUBSCRIPTION_KIND.name, *(resource.kind for api in apis for resource in api.resources.values())})


def ssrf_guard(settings: Settings) -> SsrfGuard:
    """Allow webhooks to loopback only if the service is just reachable locally; settings can allow more networks."""
    own = LOOPBACK if settings.only_this_machine_calls else ()
    return SsrfGuard((*settings.callback_networks, *own), require_https=settings.require_https)


def create_hub(apis: Sequence[Contract], store: Storage, settings: Settings, policy: CurrentPolicy) -> Hub:
    return Hub(
        store,
        subscription_queries(apis, strict=settings.mode == "strict"),
        ssrf_guard(settings),
        api_of={resource.kind: api.name for api in apis for resource in api.resources.values()},
        own_secrets=settings.listener_secrets,
        # Needed without authentication too: subscriptions made under authentication keep their restrictions.
        seen_by=policy.always_seen_by,
        limits=SubscriptionLimits(settings.listener_limit, settings.subscriptions_per_host),
    )
