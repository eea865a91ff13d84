"""All checks of each API, in the order in which they run and are shown."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tmf_conformance.api import Api
from tmf_conformance.checks import (
    creating,
    deleting,
    delivery,
    faults,
    filtering,
    hub,
    json_patching,
    lifecycle,
    paging,
    patching,
    reading,
)
from tmf_conformance.rule import Check
from tmf_conformance.tmf648 import TMF648
from tmf_conformance.tmf699 import TMF699

APIS: Mapping[str, Api] = MappingProxyType({api.name: api for api in (TMF648, TMF699)})
_GENERIC = (creating, reading, paging, filtering, patching, json_patching, lifecycle, deleting, hub, faults)


def checks_of(api: Api) -> list[Check]:
    """Each with an id of its own."""
    found = [check for module in _GENERIC for check in module.checks(api)]
    # Delivery last: its listeners stay until the end, and nothing else should be told to them.
    return [*found, *api.own_checks(), *delivery.checks(api)]


def api_of(url: str) -> Api | None:
    """The API that a base path tells of."""
    parts = url.rstrip("/").split("/")
    return next((api for api in APIS.values() if api.segment in parts or api.resource in parts), None)
