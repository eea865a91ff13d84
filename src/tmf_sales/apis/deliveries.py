"""Implements the operations on a subscription's deliveries, an addition to TMF630: attempts, test, replay.

A caller reaches the subscriptions that the policy lets it see; a subscription gets nothing that its owner may not see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qs

import orjson

from tmf_sales.contract.loader import Contract
from tmf_sales.engine.request import Handler, Request, Response
from tmf_sales.errors import InvalidBody, NotFound, SubscriptionDisabled, Unavailable
from tmf_sales.events.delivery import history
from tmf_sales.events.delivery.webhook_check import WebhookChecks
from tmf_sales.events.replay import REPLAY_LIMIT, Replay, TooManyEvents
from tmf_sales.events.subscription import ActiveSubscriptions, Subscription
from tmf_sales.events.subscriptions import Hub
from tmf_sales.storage.records import Document
from tmf_sales.values.datetimes import InvalidDateTime, canonical
from tmf_sales.values.messages import Violation, shown

DEFAULT_LIMIT = 20
OVERLAP = 24 * 3600.0
SECRET_HEADER = b"webhook-secret"


class DeliveryHandlers:
    """The operations of one API. `time_limit`: seconds to look for the events of a replay."""

    def __init__(
        self,
        api: Contract,
        hub: Hub,
        checks: WebhookChecks,
        *,
        time_limit: float,
        audit: Callable[[Request], Document] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`audit` makes the audit entry of a change; `now` gives seconds since 1970."""
        self._api = api
        self._hub = hub
        self._checks = checks
        self._time_limit = time_limit
        self._audit = audit
        self._now = now
        self._kinds = tuple(resource.kind for resource in api.resources.values())

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "listListenerAttempt": self.list_attempts,
            "testListener": self.test,
            "replayListener": self.replay,
            "enableListener": self.enable,
            "rotateListenerSecret": self.rotate_secret,
        }

    async def list_attempts(self, request: Request) -> Response:
        subscriptions, subscription = await self._subscription(request)
        limit = int(parse_qs(request.raw_query).get("limit", [str(DEFAULT_LIMIT)])[-1])
        made = await history.attempts(self._hub.events, subscriptions, subscription.id, subscription.callback, limit)
        return Response(200, orjson.dumps(made))

    async def test(self, request: Request) -> Response:
        _, subscription = await self._subscription(request)
        return Response(200, orjson.dumps(await self._checks.post(subscription, request.correlation_id)))

    async def replay(self, request: Request) -> Response:
        subscriptions, subscription = await self._subscription(request)
        if subscription.disabled is not None:
            raise SubscriptionDisabled(f"enable subscription {subscription.id} first: {subscription.disabled}")
        replay = Replay(self._hub.events, subscriptions, subscription.id, self._kinds)
        if (id := request.body.get("eventId")) is not None:
            if not await replay.event(id, self._now()):
                raise NotFound(f"event {shown(id)} is not kept, or not one that the subscription gets")
            return Response(200, orjson.dumps({"events": 1}))
        return Response(200, orjson.dumps({"events": await self._replay_since(replay, request.body["since"])}))

    async def _replay_since(self, replay: Replay, since: str) -> int:
        try:
            start = datetime.fromisoformat(canonical(since)).timestamp()
            return await replay.since(start, self._now(), self._time_limit)
        except InvalidDateTime as error:
            raise InvalidBody([Violation("/since", str(error))]) from None
        except TooManyEvents:
            wanted = f"expected a time since which there are at most {REPLAY_LIMIT} events"
            raise InvalidBody([Violation("/since", wanted)]) from None

    async def enable(self, request: Request) -> Response:
        _, subscription = await self._subscription(request)
        await self._hub.enable(subscription.id, self._audit_entries(request))
        enabled = await self._hub.get(self._api.name, subscription.id, request.access)
        if enabled.disabled is not None:
            raise Unavailable(f"subscription {subscription.id} changes too often")
        return Response(200, await self._described(enabled))

    async def rotate_secret(self, request: Request) -> Response:
        _, subscription = await self._subscription(request)
        entries = self._audit_entries(request)
        secret = await self._hub.rotate_secret(subscription.id, self._now(), OVERLAP, entries)
        headers = [(SECRET_HEADER, secret.encode()), (b"cache-control", b"private, no-store")]
        return Response(200, await self._described(subscription), headers)

    async def _described(self, subscription: Subscription) -> bytes:
        return orjson.dumps(await history.described_subscription(self._hub, subscription))

    async def _subscription(self, request: Request) -> tuple[ActiveSubscriptions, Subscription]:
        """Raises NotFound."""
        id = request.path_parameters["id"]
        alone = await self._hub.alone(self._api.name, id, request.access)
        return alone, alone[id]

    def _audit_entries(self, request: Request) -> tuple[Document, ...]:
        return (self._audit(request),) if self._audit else ()
