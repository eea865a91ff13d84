"""All checks of each API, in the order in which they run and are shown."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tmf_conformance.api import Api
from tmf_conformance.checks import (
    create,
    delete,
    events,
    errors,
    filters,
    hub,
    json_patch,
    lifecycle,
    paging,
    merge_patch,
    retrieve,
)
from tmf_conformance.check import Check
from tmf_conformance.apis.tmf648 import TMF648
from tmf_conformance.apis.tmf699 import TMF699

APIS: Mapping[str, Api] = MappingProxyType({api.name: api for api in (TMF648, TMF699)})
_GENERIC = (create, retrieve, paging, filters, merge_patch, json_patch, lifecycle, delete, hub, errors)


def checks_of(api: Api) -> list[Check]:
    """Each with an id of its own."""
    found = [check for module in _GENERIC for check in module.checks(api)]
    # Delivery last: its listeners stay until the end, and nothing else should be told to them.
    return [*found, *api.own_checks(), *events.checks(api)]


def api_of(url: str) -> Api | None:
    """The API that a base path tells of."""
    parts = url.rstrip("/").split("/")
    return next((api for api in APIS.values() if api.segment in parts or api.resource in parts), None)
