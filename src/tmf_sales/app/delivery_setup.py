"""Creates delivery workers and the sender of test events from the settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tmf_sales.app.context import Context, ssrf_guard
from tmf_sales.configuration.names import variable_of
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import CannotStart
from tmf_sales.events.delivery.slots import limit_by_open_files
from tmf_sales.events.delivery.webhook import TIMEOUT
from tmf_sales.events.delivery.webhook_check import WebhookChecks
from tmf_sales.events.delivery.worker import Delivery, DeliverySettings
from tmf_sales.events.signing import InvalidSecret, Secret, read_secrets
from tmf_sales.telemetry.delivery import ObservedWebhook
from tmf_sales.telemetry.setup import Telemetry


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


def webhook_checks(settings: Settings, clock: Callable[[], datetime], ids: Callable[[], str]) -> WebhookChecks:
    """Create the sender of test events, which ends within the deadline of requests. Raises CannotStart."""
    timeout = min(TIMEOUT, 0.8 * settings.request_deadline)
    return WebhookChecks(ssrf_guard(settings), service_secrets(settings), clock, ids, timeout=timeout)


def create_delivery(context: Context, chosen: DeliverySettings, telemetry: Telemetry) -> Delivery:
    """Create a delivery worker; the store must be open."""
    webhook = ObservedWebhook(ssrf_guard(context.settings), connections=chosen.connections)
    webhook.metrics, webhook.tracing = telemetry.metrics, telemetry.tracing
    return Delivery(context.events, context.hub, webhook, chosen)
