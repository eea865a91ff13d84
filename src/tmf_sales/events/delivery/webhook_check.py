"""Posts a test event to a subscription's callback, at once and outside of the delivery queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import orjson

from tmf_sales.errors import TooManyRequests
from tmf_sales.events.delivery.history import described_attempt
from tmf_sales.events.delivery.webhook import CONNECT_TIMEOUT, TIMEOUT, Message, Webhook
from tmf_sales.events.signing import Secret
from tmf_sales.events.ssrf_guard import SsrfGuard
from tmf_sales.events.subscription import Subscription
from tmf_sales.storage.records import Document
from tmf_sales.values import datetimes

TEST_EVENT = "ListenerTestEvent"
AT_ONCE = 8


class WebhookChecks:
    """Posts test events: at most one at a time to each subscription, and few in all. `secrets`: the service's own."""

    def __init__(
        self,
        guard: SsrfGuard,
        secrets: Sequence[Secret],
        clock: Callable[[], datetime],
        ids: Callable[[], str],
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        self._guard = guard
        self._secrets = secrets
        self._clock = clock
        self._ids = ids
        self._timeout = timeout
        self._under_way: set[str] = set()

    async def post(self, subscription: Subscription, correlation_id: str) -> Document:
        """Post an event and describe the attempt; raise TooManyRequests while too many are running."""
        if subscription.id in self._under_way or len(self._under_way) >= AT_ONCE:
            message = f"expected at most one test of a subscription, and {AT_ONCE} tests in all, at the same time"
            raise TooManyRequests(message, {"Retry-After": "1"})
        self._under_way.add(subscription.id)
        connect_timeout = min(CONNECT_TIMEOUT, self._timeout)
        webhook = Webhook(self._guard, timeout=self._timeout, connect_timeout=connect_timeout, connections=1)
        try:
            now, id = self._clock(), self._ids()
            event = _event(id, now, correlation_id)
            secrets = subscription.signing_secrets(now.timestamp()) or self._secrets
            attempt = await webhook.post(subscription.callback, Message(id, orjson.dumps(event)), secrets)
        finally:
            webhook.close()
            self._under_way.discard(subscription.id)
        return described_attempt(attempt, id, subscription.callback, event)


def _event(id: str, now: datetime, correlation_id: str) -> Document:
    moment = datetimes.written(now)
    return {
        "eventId": id,
        "eventTime": moment,
        "eventType": TEST_EVENT,
        "correlationId": correlation_id,
        "title": "Test",
        "description": "A test of the subscription; no resource has changed.",
        "timeOcurred": moment,
        "event": {},
    }
