"""Serves `/health`: what an operator wants to know of a running service; `/live` and `/ready` are for orchestrators.

The policy must grant `readHealth` to the caller, and a token must carry the admin scope of every API. Secrets and the
credentials in URLs are masked. A store that is not available is reported, not an error.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from tmf_sales import __version__
from tmf_sales.auth.page import json_page, reject_other_parameters
from tmf_sales.configuration.description import as_text, settings_in_force
from tmf_sales.configuration.names import variable_of
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.errors import Unavailable
from tmf_sales.events.subscription import State
from tmf_sales.events.subscriptions import Hub
from tmf_sales.http.context import MayRead
from tmf_sales.http.middleware import App, Scope
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Document, Index
from tmf_sales.values import datetimes

PATH = "/health"


class Health:
    """Describes this process of the service. `started`: when it started."""

    def __init__(
        self, settings: Settings, apis: Sequence[Contract], store: Storage, hub: Hub, started: datetime
    ) -> None:
        self._settings = settings
        self._apis = apis
        self._store = store
        self._hub = hub
        self._started = started

    async def described(self) -> Document:
        store = await self._described_store()
        delivery = await self._described_delivery() if store["available"] else {}
        return {
            "status": "up" if store["available"] else "degraded",
            "version": __version__,
            "python": platform.python_version(),
            "started": datetimes.written(self._started),
            "store": store,
            "delivery": {"inThisProcess": not self._settings.no_delivery, **delivery},
            "contracts": [await self._described_contract(api, counts=store["available"]) for api in self._apis],
            "settings": described_settings(self._settings),
        }

    async def _described_store(self) -> Document:
        shown: Document = {"url": self._settings.shown_store, "format": self._store.format}
        try:
            await self._store.ping()
        except Unavailable as error:
            return {**shown, "available": False, "reason": error.message}
        return {**shown, "available": True}

    async def _described_delivery(self) -> Document:
        subscriptions, retrying = await self._hub.subscriptions(), await self._hub.retrying()
        states = Counter(each.state(retrying) for each in subscriptions)
        waiting = sum((await self._hub.events.waiting()).values())
        return {
            "subscriptions": {state: states[state] for state in get_args(State)},
            "waiting": waiting,
        }

    async def _described_contract(self, api: Contract, *, counts: bool) -> Document:
        resources = [await self._described_resource(each, counts=counts) for each in api.resources.values()]
        shown: Document = {"name": api.name, "title": api.title, "version": api.version, "file": api.file}
        replaced = {"replaces": api.replaces} if api.replaces else {}
        return {**shown, **replaced, "basePath": api.base_path, "resources": resources}

    async def _described_resource(self, resource: ResourceType, *, counts: bool) -> Document:
        shown: Document = {"name": resource.name, "kind": resource.kind, "path": resource.path}
        if counts:
            shown["count"] = (await self._store.find(resource.kind, Query(limit=0))).total
        return {**shown, "indexes": [_written_index(each) for each in resource.indexes]}


def health_page(health: Health, scopes: Sequence[str], may_read: MayRead) -> App:
    """Create the page. `scopes`: those that a token needs; `may_read` is Security.may_read_health."""

    async def answer(scope: Scope) -> Document:
        await may_read(scope, scopes)
        reject_other_parameters(scope)
        return await health.described()

    return json_page(answer)


def described_settings(settings: Settings) -> list[Document]:
    """Each setting with its value, as one would write it into the environment; secrets are masked."""
    return [
        {
            "variable": variable_of(each.name),
            "value": as_text(each.shown, each.about.kind.separator),
            "isDefault": each.value == each.default,
            "purpose": each.about.purpose,
        }
        for each in settings_in_force(settings)
    ]


def _written_index(index: Index) -> str:
    """An index as x-index has it; `-` marks a descending path."""
    return ", ".join(f"{'-' if descending else ''}{'.'.join(path)}" for path, descending in index.paths)
