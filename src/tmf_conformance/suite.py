"""A suite: an API with all its checks, in the order in which they run and are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tmf_conformance.api import Api
from tmf_conformance.check import Check, Checks, belonging_to
from tmf_conformance.checks import (
    create,
    delete,
    errors,
    events,
    filters,
    hub,
    json_patch,
    lifecycle,
    merge_patch,
    paging,
    retrieve,
)
from tmf_conformance.profile import Feature


def no_own_checks() -> Checks:
    return iter(())


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite. `own_checks`: the checks of this API only, in addition to those of every TMF API."""

    api: Api
    own_checks: Callable[[], Checks] = no_own_checks

    def checks(self) -> list[Check]:
        return list(self._checks())

    def _checks(self) -> Iterator[Check]:
        api = self.api
        yield from create.checks(api)
        yield from retrieve.checks(api)
        yield from paging.checks(api)
        yield from filters.checks(api)
        yield from belonging_to(Feature.PATCH, merge_patch.checks(api))
        yield from belonging_to(Feature.JSON_PATCH, json_patch.checks(api))
        yield from belonging_to(Feature.PATCH, lifecycle.checks(api))
        yield from belonging_to(Feature.DELETE, delete.checks(api))
        yield from belonging_to(Feature.NOTIFICATIONS, hub.checks(api))
        yield from errors.checks(api)
        yield from self.own_checks()
        # Events come last: their subscriptions stay until the end, and should not receive events of other checks.
        yield from belonging_to(Feature.NOTIFICATIONS, events.checks(api))
