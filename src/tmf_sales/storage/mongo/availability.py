"""Tracks whether the store has a primary, so that requests need not find out one by one.

Requests wait while the store has just lost its primary, because another one may be elected; after a longer absence they
fail at once. The loss and the return are logged once each.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pymongo
from pymongo import AsyncMongoClient, monitoring
from pymongo.errors import OperationFailure, PyMongoError

from tmf_sales.storage.protocol import StorageUnavailable

AWAY_LIMIT = 2.0
"""Seconds from the loss of the primary during which requests wait for another one."""

log = logging.getLogger(__name__)


class Availability(monitoring.TopologyListener):
    """Follows the driver's monitors. The driver reports changes up to a second late; `wait` reads the current state."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._client: AsyncMongoClient[dict[str, Any]] | None = None
        self._away_since: float | None = clock()
        self._is_logged = False
        self._was_seen = False

    def opened(self, event: monitoring.TopologyOpenedEvent) -> None:
        """Called by the driver when it starts to look for servers."""

    def closed(self, event: monitoring.TopologyClosedEvent) -> None:
        """Called by the driver when the client is closed."""

    def description_changed(self, event: monitoring.TopologyDescriptionChangedEvent) -> None:
        """Called by the driver when a server came, went or changed its role; reads the current state, not the event."""
        if self._client is not None:
            self._note(self._client.topology_description.has_writable_server())

    def watch(self, client: AsyncMongoClient[dict[str, Any]] | None) -> None:
        """Follow the servers of this client from now on; pass None before it is closed."""
        self._client = client

    def primary(self) -> object:
        """Return which server is the primary, and by which election; None when there is none."""
        servers = self._client.topology_description.server_descriptions().values() if self._client is not None else ()
        return next(((each.address, each.election_id) for each in servers if each.is_writable), None)

    async def wait(self) -> None:
        """Return when there is a primary. Raises StorageUnavailable when none comes within AWAY_LIMIT of the loss."""
        client = self._client
        if client is None:
            raise StorageUnavailable("the store is closed")
        self._note(client.topology_description.has_writable_server())
        if self._away_since is None:
            return
        if (left := self._away_since + AWAY_LIMIT - self._clock()) > 0:
            try:
                with pymongo.timeout(left):
                    await client.admin.command("ping")
            except OperationFailure as failure:
                log.warning("the store rejects this service: %s", (failure.details or {}).get("errmsg"))
            except PyMongoError as failure:
                log.debug("no primary within %.1f s: %s", left, failure)
            else:
                self._note(True)
                return
        self._log_loss()
        raise StorageUnavailable("no server of the store can be reached")

    def _note(self, has_primary: bool) -> None:
        if not has_primary:
            if self._away_since is None:
                self._away_since = self._clock()
            if self._was_seen:
                self._log_loss()
            return
        if self._is_logged and self._away_since is not None:
            log.warning("the store is back after %.1f s", self._clock() - self._away_since)
        self._away_since = None
        self._is_logged = False
        self._was_seen = True

    def _log_loss(self) -> None:
        if not self._is_logged:
            log.warning("the store is away: it has no primary that can be reached")
        self._is_logged = True
