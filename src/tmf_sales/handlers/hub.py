"""The hub of each API: who listens to its events (notification chapters of TMF699 and TMF648; TMF630, notifications).

A listener is a stored document whose id is made of what it asks for, so that the same registration meets itself on
every store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from tmf_sales.errors import DuplicateListener, NotFound, quoted
from tmf_sales.events.address_guard import AddressGuard
from tmf_sales.storage import AlreadyExists, Change, Document, RevisionConflict, Storage, Version
from tmf_sales.storage.criteria import Compare, Operator, Query
from tmf_sales.tmf630.attributes import EventAttributes
from tmf_sales.tmf630.contract import Contract
from tmf_sales.tmf630.exchange import Handler, Request, Result
from tmf_sales.tmf630.query import parse_event_query

LISTENER = "listener"
MOST_LISTENERS = 10_000


class Hub:
    """The listeners of one API."""

    def __init__(self, api: Contract, store: Storage, guard: AddressGuard) -> None:
        self._api = api
        self._store = store
        self._guard = guard
        self._attributes = EventAttributes({kind: resource.attributes for kind, resource in api.resources.items()})

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "listListener": self.list_listeners,
            "registerListener": self.register,
            "retrieveListener": self.retrieve,
            "unregisterListener": self.unregister,
        }

    async def register(self, request: Request) -> Result:
        callback, query = request.body["callback"], request.body.get("query")
        if query:
            parse_event_query(query, self._attributes)
        await self._guard.vet(callback)
        listener = {"id": self._id_of(callback, query), "callback": callback, "query": query, "api": self._api.name}
        try:
            await self._store.commit(Change(LISTENER, listener["id"], 0, (Version(1, listener),)))
        except AlreadyExists:
            raise DuplicateListener("/callback: the same callback with the same query is registered") from None
        location = f"{request.public_url}{self._api.base_path}/hub/{listener['id']}"
        return Result(201, orjson.dumps(_shown(listener)), [(b"location", location.encode())])

    async def list_listeners(self, _request: Request) -> Result:
        own = Query(where=Compare(("api",), Operator.EQ, self._api.name), limit=MOST_LISTENERS)
        page = await self._store.find(LISTENER, own)
        return Result(200, orjson.dumps([_shown(row.version.document) for row in page.rows]))

    async def retrieve(self, request: Request) -> Result:
        _, listener = await self._get_or_not_found(request.path_parameters["id"])
        return Result(200, orjson.dumps(_shown(listener)))

    async def unregister(self, request: Request) -> Result:
        id = request.path_parameters["id"]
        revision, _ = await self._get_or_not_found(id)
        try:
            await self._store.commit(Change(LISTENER, id, revision, ()))
        except RevisionConflict:
            raise _not_found(id) from None
        return Result(204)

    async def _get_or_not_found(self, id: str) -> tuple[int, Document]:
        stored = await self._store.get(LISTENER, id)
        if stored is None or stored.current.document["api"] != self._api.name:
            raise _not_found(id)
        return stored.revision, stored.current.document

    def _id_of(self, callback: str, query: str | None) -> str:
        asked = orjson.dumps([self._api.name, callback, query])
        return hashlib.sha256(asked).hexdigest()[:32]


def _shown(listener: Document) -> Document:
    return {name: listener[name] for name in ("id", "callback", "query")}


def _not_found(id: str) -> NotFound:
    return NotFound(f"Listener {quoted(id)} does not exist")


def hub_handlers(api: Contract, store: Storage, guard: AddressGuard) -> Mapping[str, Handler]:
    return Hub(api, store, guard).handlers()
