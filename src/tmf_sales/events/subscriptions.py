"""Registers, lists, removes and disables the subscriptions of the hubs (TMF630 part 1, notifications; /hub).

The same callback with the same query is one subscription of an API, on every store. A query is checked when it is
registered, and a subscription gets no event of a write acknowledged before its registration. `view` shows no
secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from tmf_sales.access import FULL_ACCESS, Access, Principal
from tmf_sales.errors import (
    DuplicateSubscription,
    InvalidBody,
    InvalidParameter,
    NotFound,
    TooManyRequests,
    Unavailable,
)
from tmf_sales.events.signing import NEW_SECRET_BYTES, written_secret
from tmf_sales.events.ssrf_guard import SsrfGuard
from tmf_sales.events.subscription import (
    NOTHING,
    ActiveSubscriptions,
    KeptSecret,
    Known,
    ParseQuery,
    Subscription,
    UnreadableSubscription,
    read_subscription,
    written,
)
from tmf_sales.events.subscription_limits import SubscriptionLimits
from tmf_sales.events.visibility import SeenBy
from tmf_sales.storage.conditions import And, Compare, Operator, Query, Sort
from tmf_sales.storage.events import EventStore
from tmf_sales.storage.protocol import AlreadyExists, RevisionConflict, Storage
from tmf_sales.storage.records import AnyRow, Change, Document, Kind, Record, Row, Version
from tmf_sales.values.messages import Violation, shown

SUBSCRIPTION = "listener"
SUBSCRIPTION_KIND = Kind(SUBSCRIPTION, subscribes=True)
PAGE = 1000
TRIES = 10
UNFINISHED = "its registration was not finished"

log = logging.getLogger(__name__)


class Registration(NamedTuple):
    """A new subscription and its own secret, if it has one; the secret is shown only now."""

    subscription: Subscription
    secret: str | None


class Hub:
    """Stores subscriptions as documents of the kind `listener`. `own_secrets` gives each one a secret of its own."""

    def __init__(
        self,
        store: Storage,
        parse_query: ParseQuery,
        guard: SsrfGuard,
        *,
        api_of: Mapping[str, str],
        own_secrets: bool = False,
        seen_by: Callable[[Principal], SeenBy] | None = None,
        limits: SubscriptionLimits | None = None,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`api_of`: for each kind of resource, the name of the API whose subscriptions get its events.

        `seen_by`: what the owner of a subscription may see.
        """
        self._store = store
        self._parse_query = parse_query
        self._guard = guard
        self._api_of = api_of
        self._own_secrets = own_secrets
        self._seen_by = seen_by
        self._limits = limits or SubscriptionLimits()
        self._random_bytes = random_bytes
        self._known: dict[str, Known] = {}
        self._unreadable: dict[str, int] = {}
        self._registering = asyncio.Lock()

    async def register(
        self,
        api: str,
        callback: str,
        query: str | None,
        *,
        owner: Principal | None = None,
        records: tuple[Document, ...] = (),
        further: Mapping[str, Any] | None = None,
    ) -> Registration:
        """Raises InvalidBody for a bad callback or query, CallbackRefused, DuplicateSubscription, TooManyRequests.

        Registering a disabled subscription again enables it. `owner`: who registers it, when authentication is on.
        `records` are written to the log together with it. `further`: members that the contract does not know.
        """
        self._check_query(api, query)
        await self._guard.vet(callback)
        secret = written_secret(self._random_bytes(NEW_SECRET_BYTES)) if self._own_secrets else None
        subscription = Subscription(
            id=_id_of(api, callback, query, owner),
            api=api,
            callback=callback,
            query=query,
            secrets=(KeptSecret(secret),) if secret else (),
            owner=owner,
            further=further or {},
        )
        # One at a time within a process, so that concurrent registrations together stay within the limits.
        async with self._registering:
            try:
                await self._add(subscription, records)
            except (AlreadyExists, RevisionConflict):
                raise _duplicate(subscription.id) from None
        return Registration(subscription, secret)

    async def unregister(
        self, api: str, id: str, access: Access = FULL_ACCESS, records: tuple[Document, ...] = ()
    ) -> None:
        """Raises NotFound."""
        for _ in range(TRIES):
            stored = await self._seen(api, id, access)
            with contextlib.suppress(RevisionConflict):
                await self._store.commit(Change(SUBSCRIPTION, id, stored.revision, (), records))
                return
        raise Unavailable(f"subscription {id} changes too often")

    async def get(self, api: str, id: str, access: Access = FULL_ACCESS) -> Subscription:
        """Raises NotFound."""
        subscription = self._read(id, (await self._seen(api, id, access)).current)
        if subscription is None:
            raise _not_registered(id)
        return subscription

    async def _seen(self, api: str, id: str, access: Access) -> Record:
        stored = await self._store.get(SUBSCRIPTION, id)
        if stored is None or stored.current.document.get("api") != api or not access.sees(stored.current.document):
            raise _not_registered(id)
        return stored

    async def alone(self, api: str, id: str, access: Access = FULL_ACCESS) -> ActiveSubscriptions:
        """Return a set with this subscription only, even if it is disabled. Raises NotFound."""
        stored = await self._seen(api, id, access)
        known = self._know(Row(id, stored.current))
        if known is None:
            raise _not_registered(id)
        return ActiveSubscriptions({id: known}, self._api_of)

    async def subscriptions(self, api: str | None = None, access: Access = FULL_ACCESS) -> list[Subscription]:
        """Return the subscriptions that the caller may see, of one API or of all, by id; disabled ones included."""
        return [known.subscription for known in await self._all(api, access)]

    @property
    def events(self) -> EventStore:
        """The log and the delivery queues, once the store is open."""
        return self._store.events

    async def retrying(self) -> Collection[str]:
        """Return the ids of the subscriptions with an event that waits for its retry."""
        return await self._store.events.retrying()

    async def active(self) -> ActiveSubscriptions:
        """Read the subscriptions that are not disabled from the store."""
        found = await self._all(None, FULL_ACCESS)
        self._known = {known.subscription.id: known for known in found}
        return ActiveSubscriptions(
            {id: each for id, each in self._known.items() if not each.subscription.disabled}, self._api_of
        )

    async def note_failure(self, id: str, since: float) -> None:
        """Record that the subscription has been failing at least since then, unless a failure is recorded already."""
        await self._update(id, lambda it: it if it.failing_since is not None else replace(it, failing_since=since))

    async def note_success(self, id: str) -> None:
        await self._update(id, lambda it: replace(it, failing_since=None))

    async def disable(self, id: str, reason: str) -> None:
        """Send nothing more to it until it is enabled or registered again."""
        await self._update(id, lambda it: replace(it, disabled=reason))

    async def disable_failing(self, id: str, moment: float, reason: str) -> bool:
        """Disable it if it has been recorded as failing since `moment` or longer; return whether it is disabled."""

        def judged(it: Subscription) -> Subscription:
            return replace(it, disabled=reason) if it.failing_since is not None and it.failing_since <= moment else it

        after = await self._update(id, judged)
        return after is not None and after.disabled is not None

    async def enable(self, id: str, records: tuple[Document, ...] = ()) -> None:
        """Send events again. `records` are written to the log together with the change, if there is one."""
        await self._update(id, lambda it: replace(it, disabled=None, failing_since=None), records)

    async def rotate_secret(self, id: str, now: float, overlap: float, records: tuple[Document, ...] = ()) -> str:
        """Give the subscription a new secret and return it; the old ones still sign for `overlap` seconds."""
        text = written_secret(self._random_bytes(NEW_SECRET_BYTES))

        def rotated(it: Subscription) -> Subscription:
            valid = (kept for kept in it.secrets if kept.until is None or now < kept.until)
            old = (KeptSecret(kept.text, kept.until or now + overlap) for kept in valid)
            return replace(it, secrets=(KeptSecret(text), *old))

        after = await self._update(id, rotated, records)
        if after is None:
            raise _not_registered(id)
        if not after.secrets or after.secrets[0].text != text:
            raise Unavailable(f"subscription {id} changes too often")
        return text

    def _check_query(self, api: str, query: str | None) -> None:
        if query is None:
            return
        try:
            self._parse_query(api, query)
        except InvalidParameter as error:
            raise InvalidBody([Violation("/query", error.message)]) from error

    async def _add(self, subscription: Subscription, records: tuple[Document, ...]) -> None:
        """Raises AlreadyExists and RevisionConflict when someone else registered it meanwhile.

        When there are limits, the subscription is first written as disabled and counted with the others: when two
        processes register the last one allowed, at least one of them sees both.
        """
        stored = await self._store.get(SUBSCRIPTION, subscription.id)
        revision = stored.revision if stored else 0
        if stored is not None:
            known = self._read(subscription.id, stored.current)
            if known is not None and known.disabled is None:
                raise _duplicate(subscription.id)
        if self._limits:
            await self._reject_beyond_limits(subscription, is_stored=stored is not None)
        if stored is None and self._limits:
            revision = await self._write(replace(subscription, disabled=UNFINISHED), 0)
            try:
                await self._reject_beyond_limits(subscription, is_stored=True)
            except TooManyRequests:
                with contextlib.suppress(RevisionConflict):
                    await self._store.commit(Change(SUBSCRIPTION, subscription.id, revision, ()))
                raise
        await self._store.events.start_now(subscription.id)
        await self._write(subscription, revision, records)

    async def _reject_beyond_limits(self, subscription: Subscription, *, is_stored: bool) -> None:
        await self._limits.reject_beyond(self._store, SUBSCRIPTION, subscription, is_stored=is_stored)

    async def _update(
        self, id: str, change: Callable[[Subscription], Subscription], records: tuple[Document, ...] = ()
    ) -> Subscription | None:
        """Change a stored subscription and return it; None when it does not exist or is unreadable."""
        before: Subscription | None = None
        for _ in range(TRIES):
            stored = await self._store.get(SUBSCRIPTION, id)
            if stored is None:
                return None
            before = self._read(id, stored.current)
            if before is None:
                return None
            after = change(before)
            if after == before:
                return before
            try:
                await self._write(after, stored.revision, records)
            except RevisionConflict:
                continue
            return after
        log.warning("subscription %s was not updated: it changes too often", id)
        return before

    async def _write(
        self, subscription: Subscription, expected_revision: int, records: tuple[Document, ...] = ()
    ) -> int:
        version = Version(expected_revision + 1, written(subscription))
        return await self._store.commit(Change(SUBSCRIPTION, subscription.id, expected_revision, (version,), records))

    async def _all(self, api: str | None, access: Access) -> list[Known]:
        where = Compare(("api",), Operator.EQ, api) if api else And(())
        found: list[Known] = []
        offset = 0
        while True:
            query = Query(where, (Sort(("id",), always_present=True),), offset=offset, limit=PAGE)
            page = await self._store.find(SUBSCRIPTION, access.restricted(query))
            found += (known for row in page.rows if (known := self._know(row)) is not None)
            if len(page.rows) < PAGE:
                return found
            offset += PAGE

    def _know(self, row: AnyRow) -> Known | None:
        """Return the subscription of a row; each revision is read and its query parsed only once."""
        known = self._known.get(row.id)
        if known is not None and known.revision == row.version.revision:
            return known
        subscription = self._read(row.id, row.version)
        if subscription is None:
            return None
        try:
            parsed = self._parse_query(subscription.api, subscription.query) if subscription.query is not None else None
        except InvalidParameter:
            # It was registered under another contract. Which events it wants is unknown, so it gets none.
            log.warning("the query of subscription %s is not valid: it gets no events", subscription.id)
            parsed = NOTHING
        seen_by = self._seen_by(subscription.owner) if subscription.owner and self._seen_by else None
        return Known(row.version.revision, subscription, parsed, seen_by)

    def _read(self, id: str, version: Version) -> Subscription | None:
        """Read a subscription; an unreadable one is logged once and gives None, so that others still get events."""
        try:
            return read_subscription(version.document)
        except UnreadableSubscription as error:
            if self._unreadable.get(id) != version.revision:
                self._unreadable[id] = version.revision
                log.warning("subscription %s is not readable and gets no events: %s", id, error)
            return None


def _duplicate(id: str) -> DuplicateSubscription:
    return DuplicateSubscription(f"this callback with this query is subscription {id}")


def _not_registered(id: str) -> NotFound:
    return NotFound(f"subscription {shown(id)} is not registered")


def _id_of(api: str, callback: str, query: str | None, owner: Principal | None) -> str:
    """The same registration has the same id, so that the store itself rejects the second one.

    Different owners get different ids, so that nobody learns what others have subscribed to.
    """
    parts = [api, callback, query, *([owner.subject] if owner else [])]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]
