"""Tracks which subscriptions fail and disables them: at once after 410 Gone, or after 120 hours without a success.

Occasional failures cost no write. A lasting failure is recorded in the store, and only the recorded time can disable a
subscription: another worker's success clears the record, while this worker's memory knows nothing of that success.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from tmf_sales.events.delivery.retry import DISABLE_AFTER, is_failing_too_long
from tmf_sales.events.delivery.webhook import Attempt
from tmf_sales.events.subscription import Subscription
from tmf_sales.events.subscriptions import Hub
from tmf_sales.storage.events import Step

LASTS = 60.0
FAILURES_THAT_LAST = 3
"""So many failed tries of one event in a row are not an accident, however much lies between them."""

log = logging.getLogger(__name__)


class _Failing(NamedTuple):
    """Times of a failure, in seconds since 1970. After `until` a retry was due, maybe by another worker."""

    since: float
    until: float


class EndpointHealth:
    """The endpoint health of subscriptions, as far as this worker knows it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._failing: dict[str, _Failing] = {}
        self._is_down: dict[str, bool] = {}

    def is_failing(self, subscription: Subscription) -> bool:
        return subscription.id in self._failing or subscription.failing_since is not None

    async def note(self, subscription: Subscription, attempt: Attempt, step: Step) -> bool:
        """Note an attempt and the step that follows from it; return whether this disables the subscription."""
        if attempt.succeeded:
            await self._note_success(subscription)
            return False
        self._log_loss(subscription.id, attempt)
        if attempt.is_gone:
            self._failing.pop(subscription.id, None)
            await self._hub.disable(subscription.id, "it answered 410 Gone")
            log.warning("subscription %s is disabled: it answered 410 Gone", subscription.id)
            return True
        if subscription.failing_since is not None:
            return await self._judge(subscription.id, subscription.failing_since, attempt.at, step)
        await self._remember(subscription.id, attempt.at, step)
        return False

    async def _note_success(self, subscription: Subscription) -> None:
        self._failing.pop(subscription.id, None)
        if self._is_down.get(subscription.id, subscription.failing_since is not None):
            log.warning("subscription %s receives events again", subscription.id)
            self._is_down[subscription.id] = False  # what is stored of it may be older
        if subscription.failing_since is not None:
            await self._hub.note_success(subscription.id)

    def _log_loss(self, id: str, attempt: Attempt) -> None:
        """Log once that the subscription fails, until it receives events again."""
        if not self._is_down.get(id):
            why = attempt.error if attempt.status is None else f"the response has status {attempt.status}"
            log.warning("subscription %s fails: %s", id, why)
        self._is_down[id] = True

    async def _judge(self, id: str, since: float, at: float, step: Step) -> bool:
        """Disable a subscription that is recorded as failing for too long, unless the record was cleared meanwhile."""
        self._failing.pop(id, None)
        if step.failures < FAILURES_THAT_LAST or not is_failing_too_long(since, at):
            return False
        is_disabled = await self._hub.disable_failing(id, at - DISABLE_AFTER, "it failed for 120 hours")
        if is_disabled:
            log.warning("subscription %s is disabled: it failed for 120 hours", id)
        return is_disabled

    async def _remember(self, id: str, at: float, step: Step) -> None:
        """Record a lasting failure in the store; keep one that has just begun in memory."""
        known = self._failing.get(id)
        until = (step.due or at) + LASTS
        if known is None or at > known.until:
            known = _Failing(at, until)
        if at - known.since >= LASTS or step.failures >= FAILURES_THAT_LAST:
            await self._hub.note_failure(id, known.since)
            known = _Failing(at, until)
        self._failing[id] = _Failing(known.since, max(known.until, until))
