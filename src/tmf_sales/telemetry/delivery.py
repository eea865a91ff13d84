"""Counts and times delivery attempts."""

from __future__ import annotations

from collections.abc import Sequence

from tmf_sales.events.signing import Secret
from tmf_sales.events.webhook import Attempt, Message, Webhook
from tmf_sales.telemetry.metrics import Metrics


class ObservedWebhook(Webhook):
    """A webhook whose attempts are counted in `metrics`, which must be set before the first post."""

    metrics: Metrics

    async def post(self, callback: str, message: Message, secrets: Sequence[Secret] = ()) -> Attempt:
        attempt = await super().post(callback, message, secrets)
        self.metrics.count_attempt(succeeded=attempt.succeeded, seconds=attempt.duration)
        return attempt
