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
from tmf_sales.engine.audit import record_of
from tmf_sales.engine.request import Handler, Request, Result
from tmf_sales.events.envelope import Occasion
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
        return {
            "listListener": self.list_listeners,
            "registerListener": self.register,
            "retrieveListener": self.retrieve,
            "unregisterListener": self.unregister,
        }

    async def register(self, request: Request) -> Result:
        body = request.body
        listener, secret = await self._hub.register(
            self._api.name,
            body["callback"],
            body.get("query"),
            owner=None if request.principal is ANONYMOUS_ADMIN else request.principal,
            records=self._records(request),
        )
        headers = [(b"location", f"{request.public_url}{self._api.base_path}/hub/{listener.id}".encode())]
        if secret is not None:
            headers.append((SECRET_HEADER, secret.encode()))
        return Result(201, orjson.dumps(listener.view()), headers)

    async def list_listeners(self, request: Request) -> Result:
        listeners = await self._hub.listeners(self._api.name, request.access)
        return Result(200, orjson.dumps([listener.view() for listener in listeners]))

    async def retrieve(self, request: Request) -> Result:
        listener = await self._hub.get(self._api.name, request.path_parameters["id"], request.access)
        return Result(200, orjson.dumps(listener.view()))

    async def unregister(self, request: Request) -> Result:
        id = request.path_parameters["id"]
        await self._hub.unregister(self._api.name, id, request.access, self._records(request))
        return Result(204)

    def _records(self, request: Request) -> tuple[Document, ...]:
        return (self._audit(request),) if self._audit else ()


def listener_queries(apis: Sequence[Contract]) -> ParseQuery:
    """How the query of a listener is read, by the name of its API: the filter language on the events of that API."""
    attributes = {
        api.name: EventAttributes({kind: resource.attributes for kind, resource in api.resources.items()})
        for api in apis
    }

    def parse(api: str, raw: str) -> EventQuery:
        return parse_event_query(raw, attributes[api])

    return parse


def listener_record(request: Request, clock: Callable[[], datetime], ids: Callable[[], str]) -> Document:
    """The entry of the log for a listener that is registered or unregistered."""
    return record_of(request, Occasion(datetimes.written(clock()), request.correlation_id, ids), {}, {})
