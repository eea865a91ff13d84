"""Changes of one resource take turns within a process, so that they race only with those of other processes.

Promise: it is only about speed. That no update is lost is the store's compare-and-set, with or without turns; but of
many clients that change one resource at once, all but one would read, patch and lose again at every commit.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from tmf_sales.engine.request import Handler, Request, Response


class ResourceLocks:
    """The turns of one type's resources; nothing is kept of a resource that nobody changes."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def serialized(self, handler: Handler) -> Handler:
        """The handler of an operation on one resource, called in the order in which requests come."""

        async def in_turn(request: Request) -> Response:
            id = request.path_parameters["id"]
            lock = self._locks.get(id)
            if lock is None:
                lock = self._locks[id] = asyncio.Lock()
            async with lock:
                return await handler(request)

        return in_turn
