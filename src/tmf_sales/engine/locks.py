"""Serializes changes of one resource within a process, so that they conflict only with those of other processes.

The locks only improve speed: the store's compare-and-set prevents lost updates with or without them. Without locks, of
many clients that change one resource at once, all but one would fail at every commit and start again.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from tmf_sales.engine.request import Handler, Request, Response


class ResourceLocks:
    """The locks of one type's resources. A lock exists only while a request uses it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def serialized(self, handler: Handler) -> Handler:
        """Wrap the handler of an operation on one resource, so that requests for one id run in order of arrival."""

        async def in_turn(request: Request) -> Response:
            id = request.path_parameters["id"]
            lock = self._locks.get(id)
            if lock is None:
                lock = self._locks[id] = asyncio.Lock()
            async with lock:
                return await handler(request)

        return in_turn
