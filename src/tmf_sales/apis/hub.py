"""Implements the hub of each API: register, list, retrieve and remove subscriptions (TMF630 part 1, notifications).

Rejects a subscription whose query can never match. `events/subscriptions.py` stores subscriptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import orjson

from tmf_sales.access import ANONYMOUS_ADMIN
from tmf_sales.contract.attributes import EventAttributes
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.operations import HUB_VERBS, LISTENER
from tmf_sales.engine.audit import audit_entry
from tmf_sales.engine.request import Handler, Request, Response
from tmf_sales.errors import InvalidBody, InvalidFilter
from tmf_sales.events.delivery.history import described_subscription, listed_subscriptions
from tmf_sales.events.envelope import EventContext
from tmf_sales.events.subscription import ParseQuery
from tmf_sales.events.subscriptions import Hub
from tmf_sales.query.query import EventQuery, parse_event_query
from tmf_sales.storage.evaluate import may_match
from tmf_sales.storage.records import Document
from tmf_sales.values import datetimes
from tmf_sales.values.messages import Violation, json_pointer, list_places

RecordMaker = Callable[[Request], Document]
SECRET_HEADER = b"webhook-secret"
FURTHER_LIMIT = 4096


class HubHandlers:
    """The hub operations of one API."""

    def __init__(self, api: Contract, hub: Hub, audit: RecordMaker | None = None) -> None:
        """`audit` makes the audit entry of a change."""
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
            further=_further_members(body),
        )
        headers = [(b"location", f"{request.public_url}{self._api.base_path}/hub/{subscription.id}".encode())]
        if secret is not None:
            headers.append((SECRET_HEADER, secret.encode()))
        return Response(201, orjson.dumps(subscription.view()), headers)

    async def list_listeners(self, request: Request) -> Response:
        subscriptions = await self._hub.subscriptions(self._api.name, request.access)
        return Response(200, orjson.dumps(await listed_subscriptions(self._hub, subscriptions)))

    async def retrieve(self, request: Request) -> Response:
        subscription = await self._hub.get(self._api.name, request.path_parameters["id"], request.access)
        return Response(200, orjson.dumps(await described_subscription(self._hub, subscription)))

    async def unregister(self, request: Request) -> Response:
        id = request.path_parameters["id"]
        await self._hub.unregister(self._api.name, id, request.access, self._audit_entries(request))
        return Response(204)

    def _audit_entries(self, request: Request) -> tuple[Document, ...]:
        return (self._audit(request),) if self._audit else ()


def _further_members(body: Document) -> Document:
    """The members unknown to the contract, which are stored and shown with the subscription."""
    further = {name: value for name, value in body.items() if name not in {"callback", "query"}}
    if further and len(orjson.dumps(further)) > FURTHER_LIMIT:
        names = list_places(json_pointer([name]) for name in further)
        raise InvalidBody([Violation("", f"expected at most {FURTHER_LIMIT} bytes in {names} together")])
    return further


def event_attributes(api: Contract, *, strict: bool) -> EventAttributes:
    """The attributes of the events of an API, from its contract."""
    types = {type: None for resource in api.resources.values() for type in resource.event_types}
    resources = {resource.noun: resource.attributes for resource in api.resources.values()}
    return EventAttributes(resources, types, knows_all=strict)


def subscription_queries(apis: Sequence[Contract], *, strict: bool = False) -> ParseQuery:
    """A parser of subscription queries: takes the name of an API and a filter on the events of that API."""
    attributes = {api.name: event_attributes(api, strict=strict) for api in apis}
    types = {
        api.name: tuple(type for resource in api.resources.values() for type in resource.event_types) for api in apis
    }

    def parse(api: str, raw: str) -> EventQuery:
        if api not in attributes:
            raise InvalidFilter(f"no loaded contract describes the API {api}")
        query = parse_event_query(raw, attributes[api], strict=True)
        if not any(may_match(query.condition, ("eventType",), type) for type in types[api]):
            raise InvalidFilter(f"eventType: no event type matches; expected one of {', '.join(types[api])}")
        return query

    return parse


def subscription_audit_entry(request: Request, clock: Callable[[], datetime], ids: Callable[[], str]) -> Document:
    """The audit entry of a subscription that is registered or removed."""
    return audit_entry(request, EventContext(datetimes.written(clock()), request.correlation_id, ids), {}, {})
