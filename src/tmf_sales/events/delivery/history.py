"""Describes the deliveries of a subscription: a summary, and each attempt with what was sent and received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tmf_sales.events.delivery.sender import REVISION_HEADER
from tmf_sales.events.delivery.webhook import Attempt, standard_headers
from tmf_sales.events.subscription import ActiveSubscriptions, Subscription
from tmf_sales.events.subscriptions import Hub
from tmf_sales.storage.events import AttemptRecord, EventStore, StoredEvent
from tmf_sales.storage.records import Document
from tmf_sales.values import datetimes

SUMMARIZED = 100


async def described_subscription(hub: Hub, subscription: Subscription) -> Document:
    """Return the EventSubscription of the contract, with its state and a summary of its deliveries."""
    waiting = (await hub.events.waiting()).get(subscription.id, 0)
    delivery = await _summary(hub.events, subscription.id, waiting)
    return {**subscription.view(), **subscription.condition(await hub.retrying()), "delivery": delivery}


async def listed_subscriptions(hub: Hub, subscriptions: Sequence[Subscription]) -> list[Document]:
    """Return subscriptions with their states and how many resources have events that wait for each."""
    waiting, retrying = await hub.events.waiting(), await hub.retrying()
    return [
        {**each.view(), **each.condition(retrying), "delivery": {"waiting": waiting.get(each.id, 0)}}
        for each in subscriptions
    ]


async def _summary(store: EventStore, subscription: str, waiting: int) -> Document:
    made = await store.attempts(subscription=subscription, since=0.0, limit=SUMMARIZED)
    succeeded = [each for each in made if each.succeeded]
    shown: Document = {"waiting": waiting, "attempts": len(made), "succeeded": len(succeeded)}
    if made:
        shown |= {"successRate": len(succeeded) / len(made), "lastAttemptTime": moment(made[0].at)}
    if succeeded:
        shown["lastSuccessTime"] = moment(succeeded[0].at)
    return shown


async def attempts(
    store: EventStore, subscriptions: ActiveSubscriptions, subscription: str, callback: str, limit: int
) -> list[Document]:
    """Return the last attempts, newest first; an event that the owner may not see now is left out of its request.

    `subscriptions` has the subscription. The bodies of all requests together stay within the store's BATCH_BYTES.
    """
    made = await store.attempts(subscription=subscription, since=0.0, limit=limit)
    events = {event.id: event for event in await store.with_ids([each.event for each in made])}
    return [_described(each, callback, events.get(each.event), subscriptions) for each in made]


def described_attempt(attempt: Attempt, event_id: str, callback: str, body: Document) -> Document:
    """Describe an attempt that is not recorded."""
    record = AttemptRecord("", event_id, attempt.at, attempt.duration, attempt.status, attempt.answer, attempt.error)
    return {**_outcome(record), "request": _request(record, callback, {}, body)}


def moment(seconds: float) -> str:
    """Return the canonical text of a time in seconds since 1970."""
    return datetimes.written(datetime.fromtimestamp(seconds, UTC))


def _described(
    record: AttemptRecord, callback: str, event: StoredEvent | None, subscriptions: ActiveSubscriptions
) -> Document:
    headers = {REVISION_HEADER: str(event.revision)} if event is not None else {}
    body = None
    if event is not None and subscriptions.wants(record.subscription, event.kind, event.document):
        body = subscriptions.selected(record.subscription, event.kind, event.document)
    return {**_outcome(record), "request": _request(record, callback, headers, body)}


def _outcome(record: AttemptRecord) -> Document:
    shown: Document = {
        "eventId": record.event,
        "attemptTime": moment(record.at),
        "duration": record.duration,
        "succeeded": record.succeeded,
    }
    if record.error is not None:
        shown["error"] = record.error
    if record.status is not None:
        shown["response"] = {"status": record.status, "body": record.answer}
    return shown


def _request(record: AttemptRecord, callback: str, headers: Mapping[str, str], body: Document | None) -> Document:
    sent: Sequence[tuple[str, str]] = standard_headers(record.event, int(record.at))
    shown: Document = {"url": callback, "headers": {**dict(sent), **headers}}
    return shown if body is None else {**shown, "body": body}
