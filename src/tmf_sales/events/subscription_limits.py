"""Limits how many subscriptions one caller has, and how many have their callback at the same host."""

from __future__ import annotations

from dataclasses import dataclass

from tmf_sales.errors import TooManyRequests
from tmf_sales.events.ssrf_guard import host_of
from tmf_sales.events.subscription import Subscription
from tmf_sales.storage.conditions import Compare, Exists, Not, Operator, Query, Sort
from tmf_sales.storage.protocol import Storage

PAGE = 1000
RETRY_AFTER = {"Retry-After": "60"}


@dataclass(frozen=True, slots=True)
class SubscriptionLimits:
    """`per_caller`: for one owner; without authentication all callers count as one. 0 means no limit."""

    per_caller: int = 0
    per_host: int = 0

    def __bool__(self) -> bool:
        return bool(self.per_caller or self.per_host)

    async def reject_beyond(self, store: Storage, kind: str, subscription: Subscription, *, is_stored: bool) -> None:
        """Raise TooManyRequests when the subscription exceeds a limit. `is_stored`: it is already in the store."""
        room = 0 if is_stored else 1
        if self.per_caller and await _count_of_owner(store, kind, subscription) > self.per_caller - room:
            message = f"expected at most {self.per_caller} subscriptions of one caller; remove one first"
            raise TooManyRequests(message, RETRY_AFTER)
        if self.per_host and await _count_at_host(store, kind, subscription) > self.per_host - room:
            message = f"expected at most {self.per_host} subscriptions with this callback host; remove one first"
            raise TooManyRequests(message, RETRY_AFTER)


async def _count_of_owner(store: Storage, kind: str, subscription: Subscription) -> int:
    at, owner = ("owner", "subject"), subscription.owner
    own = Compare(at, Operator.EQ, owner.subject) if owner else Not(Exists(at))
    return (await store.find(kind, Query(own, limit=0))).total


async def _count_at_host(store: Storage, kind: str, subscription: Subscription) -> int:
    host, count, offset = host_of(subscription.callback), 0, 0
    while True:
        page = await store.find(kind, Query(sort=(Sort(("id",), always_present=True),), offset=offset, limit=PAGE))
        callbacks = (row.version.document.get("callback") for row in page.rows)
        count += sum(isinstance(callback, str) and host_of(callback) == host for callback in callbacks)
        if len(page.rows) < PAGE:
            return count
        offset += PAGE
