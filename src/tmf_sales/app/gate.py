"""Puts what stands before the API around it: metrics, CORS, proxies, probes, pages and the limits on all requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from tmf_sales.app.composition import Composition
from tmf_sales.auth.audit_endpoint import PATH as AUDIT
from tmf_sales.auth.audit_endpoint import audit_page
from tmf_sales.auth.health_endpoint import PATH as HEALTH
from tmf_sales.auth.health_endpoint import Health, health_page
from tmf_sales.auth.permissions_endpoint import PATH as PERMISSIONS
from tmf_sales.auth.permissions_endpoint import permissions_page
from tmf_sales.configuration.settings import Settings
from tmf_sales.console.documents import documents
from tmf_sales.console.swagger_ui import swagger_ui
from tmf_sales.console.webapp import PATH as CONSOLE_PATH
from tmf_sales.console.webapp import SignIn, console
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.operations import EVENT, EVENT_VERBS
from tmf_sales.edge.compression import Compression
from tmf_sales.edge.cors import allow_origins
from tmf_sales.edge.deprecation import announce_deprecations
from tmf_sales.edge.forwarded import trust_proxies
from tmf_sales.edge.options import options
from tmf_sales.events.subscriptions import SUBSCRIPTION_KIND
from tmf_sales.http.bounds import Bounds
from tmf_sales.http.hosts import ServedHosts, served_hosts
from tmf_sales.http.middleware import App, EntryMiddleware
from tmf_sales.http.public_base import public_base_of
from tmf_sales.http.response_headers import ResponseHeaders
from tmf_sales.http.responses import Errors
from tmf_sales.telemetry.endpoint import PATH as METRICS_PATH
from tmf_sales.telemetry.endpoint import choose_by_port, management_app
from tmf_sales.telemetry.requests import RequestTelemetry

HasPage = Callable[[str], bool]


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
    encoding = None if service.settings.no_compression else Compression()
    return ResponseHeaders(allow_origins(through_proxies, service.settings.cors_origins), observed, encoding)


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
    middleware = EntryMiddleware(
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
    return announce_deprecations(middleware, service.apis)


def is_below(root: str, path: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def sign_in(settings: Settings) -> SignIn:
    return SignIn(settings.authentication, settings.jwt_issuer, settings.console_client_id)


def own_pages(service: Composition) -> dict[str, App]:
    """The pages about the service and its caller, which are not part of a contract."""
    settings, security, scopes = service.settings, service.security, audit_scopes(service.apis)
    policy = service.policy if settings.authentication else None
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


def audit_scopes(apis: Sequence[Contract]) -> dict[str, tuple[str, ...]]:
    """The kinds that have an audit log, each with the scopes that a token needs to read it."""
    by_kind = {each.kind: (f"{api.name}:admin",) for api in apis for each in api.resources.values()}
    return {**by_kind, SUBSCRIPTION_KIND.name: tuple(f"{api.name}:admin" for api in apis)}
