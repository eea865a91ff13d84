"""Counts, times and traces delivery attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tmf_sales.events.delivery.webhook import TRACEPARENT, Attempt, Message, Webhook
from tmf_sales.events.signing import Secret
from tmf_sales.telemetry.metrics import Metrics
from tmf_sales.telemetry.tracing import Tracing


class ObservedWebhook(Webhook):
    """A webhook whose attempts are counted in `metrics`, and traced if there is `tracing`."""

    metrics: Metrics
    tracing: Tracing | None = None

    async def post(self, callback: str, message: Message, secrets: Sequence[Secret] = ()) -> Attempt:
        if self.tracing is None:
            attempt = await super().post(callback, message, secrets)
        else:
            attempt = await self._post_in_span(self.tracing, callback, message, secrets)
        self.metrics.count_attempt(succeeded=attempt.succeeded, seconds=attempt.duration)
        return attempt

    async def _post_in_span(
        self, tracing: Tracing, callback: str, message: Message, secrets: Sequence[Secret]
    ) -> Attempt:
        others = tuple(header for header in message.headers if header[0] != TRACEPARENT)
        post = super().post

        async def post_with(traceparent: str) -> Attempt:
            return await post(callback, replace(message, headers=(*others, (TRACEPARENT, traceparent))), secrets)

        return await tracing.deliver(dict(message.headers).get(TRACEPARENT), post_with)
