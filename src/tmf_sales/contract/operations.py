"""Lists the operations that a contract may have: a table of verbs, methods, success codes and media types.

The engine's handlers, the contract lint and the policy use this table. Every operation is optional; requests for a
missing one get 405. An operationId is a verb and the name of a resource, as in TM Forum's contracts (`createOrder`), or
`Listener` for a hub (TMF630 part 1, notifications), or `Event` for the event log (not a part of TMF630). BEYOND_HUB has
further operations on subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
JSON_PATCH_QUERY = "application/json-patch-query+json"
JSON_PATCHES = frozenset({JSON_PATCH, JSON_PATCH_QUERY})
LISTENER = "Listener"
EVENT = "Event"


@dataclass(frozen=True, slots=True)
class Verb:
    """One kind of operation. `successes`: its success status codes; a contract must define the first one.

    `on_collection`: its path is that of the collection, without an id. `media_types`: the accepted request bodies.
    """

    name: str
    method: str
    successes: tuple[str, ...]
    on_collection: bool = False
    media_types: tuple[str, ...] = ()

    def operation_id(self, resource: str) -> str:
        return f"{self.name}{resource}"


RESOURCE_VERBS = (
    Verb("list", "get", ("200", "206"), on_collection=True),
    Verb("head", "head", ("200", "206"), on_collection=True),
    Verb("create", "post", ("201", "200"), on_collection=True, media_types=(JSON,)),
    Verb("retrieve", "get", ("200",)),
    Verb("patch", "patch", ("200",), media_types=(MERGE_PATCH, JSON, JSON_PATCH, JSON_PATCH_QUERY)),
    Verb("delete", "delete", ("204",)),
)
HUB_VERBS = (
    Verb("list", "get", ("200",), on_collection=True),
    Verb("register", "post", ("201",), on_collection=True, media_types=(JSON,)),
    Verb("retrieve", "get", ("200",)),
    Verb("unregister", "delete", ("204",)),
)
EVENT_VERBS = (Verb("list", "get", ("200", "206"), on_collection=True),)
BEYOND_HUB = {
    "listListenerAttempt": Verb("list", "get", ("200",)),
    "testListener": Verb("test", "post", ("200",)),
    "replayListener": Verb("replay", "post", ("200",), media_types=(JSON,)),
    "enableListener": Verb("enable", "post", ("200",)),
    "rotateListenerSecret": Verb("rotate", "post", ("200",)),
    "listEventMatch": Verb("list", "get", ("200",), on_collection=True),
}
"""Operations on a subscription and its deliveries that TMF630 does not have, by operationId."""


EXPECTED_OPERATION = (
    f"expected {', '.join(verb.name for verb in RESOURCE_VERBS)} and the name of a schema, such as createOrder, or"
    f" {', '.join(verb.operation_id(LISTENER) for verb in HUB_VERBS)} for a hub"
)


def unknown_operation(id: str) -> str:
    """The rule that an operation breaks for which there is no handler."""
    names = (id.removeprefix(verb.name) for verb in RESOURCE_VERBS if id.startswith(verb.name))
    if (name := next(names, "")) and name != LISTENER:
        return f"{id} is an operation of {name}, and components/schemas has no {name}"
    return f"the service cannot handle the operation {id}; {EXPECTED_OPERATION}"


def operation_ids(resource: str) -> Mapping[str, str]:
    """The operationId of each verb, for a resource of this name."""
    return {verb.name: verb.operation_id(resource) for verb in RESOURCE_VERBS}


def known_operations(resources: Iterable[str]) -> dict[str, Verb]:
    """The verb of every operationId that a contract with these resources and a hub may have."""
    known = {**BEYOND_HUB, **{verb.operation_id(LISTENER): verb for verb in HUB_VERBS}}
    known |= {verb.operation_id(EVENT): verb for verb in EVENT_VERBS}
    return known | {verb.operation_id(name): verb for name in resources for verb in RESOURCE_VERBS}
