"""The hub of each API over HTTP: register, list, show and remove listeners (TMF630 part 1, notifications).

Who listens and what they asked for is kept by events/hub.py; here is only how the contracts speak of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import orjson

from tmf_sales import datetimes
from tmf_sales.access import ANONYMOUS_ADMIN
from tmf_sales.contract.attributes import EventAttributes
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.operations import HUB_VERBS, LISTENER
from tmf_sales.engine.audit import audit_entry
from tmf_sales.engine.request import Handler, Request, Response
from tmf_sales.events.envelope import EventContext
from tmf_sales.events.subscription import ParseQuery
from tmf_sales.events.subscriptions import Hub
from tmf_sales.query.query import EventQuery, parse_event_query
from tmf_sales.storage.protocol import Document

RecordMaker = Callable[[Request], Document]
SECRET_HEADER = b"webhook-secret"


class HubHandlers:
    """The hub operations of one API."""

    def __init__(self, api: Contract, hub: Hub, audit: RecordMaker | None = None) -> None:
        """`audit` makes the entry of the log that tells of a change."""
        self._api = api
        self._hub = hub
        self._audit = audit

    def handlers(self) -> Mapping[str, Handler]:
        by_verb: dict[str, Handler] = {
            "list": self.list_listeners,
            "register": self.register,
            "retrieve": self.retrieve,
            "unregister": self.unregister,
        }
        return {verb.operation_id(LISTENER): by_verb[verb.name] for verb in HUB_VERBS}

    async def register(self, request: Request) -> Response:
        body = request.body
        subscription, secret = await self._hub.register(
            self._api.name,
            body["callback"],
            body.get("query"),
            owner=None if request.principal is ANONYMOUS_ADMIN else request.principal,
            records=self._audit_entries(request),
        )
        headers = [(b"location", f"{request.public_url}{self._api.base_path}/hub/{subscription.id}".encode())]
        if secret is not None:
            headers.append((SECRET_HEADER, secret.encode()))
        return Response(201, orjson.dumps(subscription.view()), headers)

    async def list_listeners(self, request: Request) -> Response:
        subscriptions = await self._hub.subscriptions(self._api.name, request.access)
        return Response(200, orjson.dumps([subscription.view() for subscription in subscriptions]))

    async def retrieve(self, request: Request) -> Response:
        subscription = await self._hub.get(self._api.name, request.path_parameters["id"], request.access)
        return Response(200, orjson.dumps(subscription.view()))

    async def unregister(self, request: Request) -> Response:
        id = request.path_parameters["id"]
        await self._hub.unregister(self._api.name, id, request.access, self._audit_entries(request))
        return Response(204)

    def _audit_entries(self, request: Request) -> tuple[Document, ...]:
        return (self._audit(request),) if self._audit else ()


def subscription_queries(apis: Sequence[Contract]) -> ParseQuery:
    """How the query of a listener is read, by the name of its API: the filter language on the events of that API."""
    attributes = {
        api.name: EventAttributes({kind: resource.attributes for kind, resource in api.resources.items()})
        for api in apis
    }

    def parse(api: str, raw: str) -> EventQuery:
        return parse_event_query(raw, attributes[api])

    return parse


def subscription_audit_entry(request: Request, clock: Callable[[], datetime], ids: Callable[[], str]) -> Document:
    """The entry of the log for a listener that is registered or unregistered."""
    return audit_entry(request, EventContext(datetimes.written(clock()), request.correlation_id, ids), {}, {})
