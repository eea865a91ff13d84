"""Serves `/audit?kind=...&id=...`: who changed a resource, read from the event log.

The policy must grant `readAudit` to the caller, and a token must carry the admin scope of the kind's API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tmf_sales.auth.page import json_page, parameters_of, reject_other_parameters
from tmf_sales.errors import InvalidParameter
from tmf_sales.events.audit_log import trail_of
from tmf_sales.http.context import MayRead
from tmf_sales.http.middleware import App, Scope
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Document, named_kind

PATH = "/audit"
PAGE = 1000


def audit_page(store: Storage, scopes: Mapping[str, Sequence[str]], may_read: MayRead) -> App:
    """Create the page. `scopes`: the kinds with an audit log, each with the scopes that a token needs.

    `may_read` is Security.may_read_audit. `store.events` exists only once the store is open.
    """

    async def answer(scope: Scope) -> list[Document]:
        asked = dict(parameters_of(scope))
        kind, id = named_kind(asked.get("kind", ""), sorted(scopes)), asked.get("id", "")
        await may_read(scope, scopes.get(kind or "", ()))
        reject_other_parameters(scope, ("kind", "id"))
        if kind is None or not id:
            raise InvalidParameter(f"expected kind, one of {', '.join(sorted(scopes))}, and id")
        return [entry.shown() for entry in await trail_of(store.events, kind, id, PAGE)]

    return json_page(answer)
