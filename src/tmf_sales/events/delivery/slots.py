"""Limits how many deliveries are open at once: in all, to one host, and to subscriptions that have not proven to work.

Subscriptions take turns, so one with many events delays the others by no more than one delivery each. Half of the slots
is kept for subscriptions whose last delivery succeeded: receivers that never answer cannot take all of them.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter, deque
from collections.abc import Iterable
from typing import NamedTuple

if sys.platform != "win32":  # pragma: no branch
    import resource

LEAST = 8
SHARE_OF_OPEN_FILES = 4


def limit_by_open_files(wanted: int) -> int:
    """Return the wanted number of connections, capped at a quarter of the files that this process may open."""
    if sys.platform != "win32":  # pragma: no branch - Windows has no such limit
        may_open, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if may_open != resource.RLIM_INFINITY:
            return min(wanted, max(LEAST, may_open // SHARE_OF_OPEN_FILES))
    return wanted


class Slot(NamedTuple):
    """One open delivery."""

    subscription: str
    host: str
    is_proven: bool


class _Queue:
    """Deliveries that wait for a slot: hosts take turns, and so do the subscriptions of a host."""

    def __init__(self) -> None:
        self._ready: dict[str, None] = {}
        self._waiting: dict[str, dict[str, deque[asyncio.Future[None]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._ready)

    def add(self, slot: Slot, admitted: asyncio.Future[None], *, has_room: bool) -> None:
        self._waiting.setdefault(slot.host, {}).setdefault(slot.subscription, deque()).append(admitted)
        if has_room:
            self._ready[slot.host] = None

    def note_room(self, host: str) -> None:
        if host in self._waiting:
            self._ready[host] = None

    def next_host(self) -> str:
        """Remove and return the next host; `note_room` puts it back."""
        host = next(iter(self._ready))
        del self._ready[host]
        return host

    def take(self, host: str) -> asyncio.Future[None]:
        """Remove and return the longest waiting delivery of the host's next subscription."""
        subscriptions = self._waiting[host]
        subscription, deliveries = next(iter(subscriptions.items()))
        del subscriptions[subscription]
        admitted = deliveries.popleft()
        if deliveries:
            subscriptions[subscription] = deliveries  # behind the others
        if not subscriptions:
            del self._waiting[host]
        return admitted


class DeliverySlots:
    """At most `total` slots, `per_host` of them for one host."""

    def __init__(self, total: int, per_host: int) -> None:
        self._total = total
        self._per_host = per_host
        self._most_unproven = max(1, total // 2)
        self._used = 0
        self._unproven = 0
        self._by_host: Counter[str] = Counter()
        self._proven: set[str] = set()
        self._queues = {True: _Queue(), False: _Queue()}
        self._turn_of_proven = True

    async def acquire(self, subscription: str, host: str) -> Slot:
        """Wait for a slot; return it with `release`."""
        slot = Slot(subscription, host, subscription in self._proven)
        if self._used < self._total and self._is_free(slot):
            self._take(host, is_proven=slot.is_proven)
            return slot
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues[slot.is_proven].add(slot, admitted, has_room=self._has_room(host))
        self._admit()
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():
                self._free(slot)
            raise
        return slot

    def release(self, slot: Slot, *, succeeded: bool) -> None:
        """Return a slot. A success marks the subscription as proven for its next deliveries, a failure unmarks it."""
        if succeeded:
            self._proven.add(slot.subscription)
        else:
            self._proven.discard(slot.subscription)
        self._free(slot)

    def forget_others(self, subscriptions: Iterable[str]) -> None:
        """Forget all subscriptions other than these."""
        self._proven.intersection_update(subscriptions)

    def _free(self, slot: Slot) -> None:
        self._used -= 1
        self._unproven -= not slot.is_proven
        self._by_host[slot.host] -= 1
        if not self._by_host[slot.host]:
            del self._by_host[slot.host]
        for queue in self._queues.values():
            queue.note_room(slot.host)
        self._admit()

    def _admit(self) -> None:
        while self._used < self._total:
            candidates = [
                is_proven for is_proven, queue in self._queues.items() if queue and self._may_enter(is_proven)
            ]
            if not candidates:
                return
            is_proven = self._turn_of_proven if self._turn_of_proven in candidates else candidates[0]
            self._turn_of_proven = not is_proven
            self._admit_one(is_proven=is_proven)

    def _admit_one(self, *, is_proven: bool) -> None:
        queue = self._queues[is_proven]
        host = queue.next_host()
        if not self._has_room(host):  # the other queue took the last slot of this host
            return
        admitted = queue.take(host)
        if not admitted.cancelled():
            admitted.set_result(None)
            self._take(host, is_proven=is_proven)
        if self._has_room(host):
            queue.note_room(host)

    def _is_free(self, slot: Slot) -> bool:
        """Whether the slot may be taken at once, as no other delivery waits for it."""
        return self._may_enter(slot.is_proven) and self._has_room(slot.host) and not any(self._queues.values())

    def _take(self, host: str, *, is_proven: bool) -> None:
        self._used += 1
        self._unproven += not is_proven
        self._by_host[host] += 1

    def _may_enter(self, is_proven: bool) -> bool:
        return is_proven or self._unproven < self._most_unproven

    def _has_room(self, host: str) -> bool:
        return self._by_host[host] < self._per_host
