"""Which listeners fail, since when, and which of them get nothing more: after 410, or 120 hours without a success.

Promise: a listener that fails now and then costs no write; only a failure that lasts is written down, so that it
outlives the worker that saw it begin.
"""

from __future__ import annotations

import logging

from tmf_sales.events.hub import Hub
from tmf_sales.events.listener import Listener
from tmf_sales.events.schedule import is_failing_too_long
from tmf_sales.events.webhook import Attempt

LASTS = 60.0

log = logging.getLogger(__name__)


class Health:
    """What this worker knows of the listeners' health."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._failing_since: dict[str, float] = {}

    def is_failing(self, listener: Listener) -> bool:
        return listener.id in self._failing_since or listener.failing_since is not None

    async def note(self, listener: Listener, attempt: Attempt) -> bool:
        """Take notice of a try; answer whether the listener is disabled by it."""
        if attempt.succeeded:
            await self._note_success(listener)
            return False
        if attempt.is_gone:
            await self._disable(listener, "it answered 410 Gone")
            return True
        return await self._note_failure(listener, attempt.at)

    async def _note_success(self, listener: Listener) -> None:
        self._failing_since.pop(listener.id, None)
        if listener.failing_since is not None:
            await self._hub.note_success(listener.id)

    async def _note_failure(self, listener: Listener, at: float) -> bool:
        since = self._failing_since.setdefault(listener.id, listener.failing_since or at)
        if is_failing_too_long(since, at):
            await self._disable(listener, "it failed for 120 hours")
            return True
        if listener.failing_since is None and at - since >= LASTS:
            await self._hub.note_failure(listener.id, since)
        return False

    async def _disable(self, listener: Listener, reason: str) -> None:
        self._failing_since.pop(listener.id, None)
        await self._hub.disable(listener.id, reason)
        log.warning("listener %s is disabled: %s", listener.id, reason)
