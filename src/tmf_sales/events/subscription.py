"""Stored subscriptions, and the set of active ones: which of them want an event, and which members they get."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import NoneType
from typing import Any, Literal, NamedTuple, Protocol

from tmf_sales.access import Principal
from tmf_sales.events.signing import InvalidSecret, Secret
from tmf_sales.events.visibility import SeenBy, seen_event
from tmf_sales.storage.conditions import Condition, Or
from tmf_sales.storage.evaluate import matches
from tmf_sales.storage.records import Document
from tmf_sales.values import datetimes


class FieldSelection(Protocol):
    """Selects the members of an event to send; those that identify it are always sent."""

    def select(self, document: Document) -> Document: ...


class Parsed(Protocol):
    """A parsed query: which events to send, and which of their members (None: all)."""

    @property
    def condition(self) -> Condition: ...

    @property
    def selection(self) -> FieldSelection | None: ...


ParseQuery = Callable[[str, str], Parsed]
"""(name of the API, raw query) -> what it asks for; raises InvalidParameter."""


State = Literal["active", "failing", "disabled"]


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A subscription's secret; a replaced one signs until `until` (seconds since 1970), the current one has no end."""

    text: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A registered subscription. `failing_since`: seconds since 1970; `disabled`: why it gets no more events.

    `owner`: who registered it, when authentication is on; the subscription gets what its owner may see. `further`:
    members of the registration that the contract does not know.
    """

    id: str
    api: str
    callback: str
    query: str | None
    secrets: tuple[KeptSecret, ...] = ()
    failing_since: float | None = None
    disabled: str | None = None
    owner: Principal | None = None
    further: Mapping[str, Any] = field(default_factory=dict)

    def view(self) -> Document:
        """The EventSubscription of the contract, without its state."""
        return {**self.further, "id": self.id, "callback": self.callback, "query": self.query}

    def condition(self, retrying: Collection[str]) -> Document:
        """Return the members of the contract that say whether events arrive."""
        shown: Document = {"state": self.state(retrying)}
        if self.disabled is not None:
            shown["disabledReason"] = self.disabled
        if self.failing_since is not None:
            shown["failingSince"] = datetimes.written(datetime.fromtimestamp(self.failing_since, UTC))
        return shown

    def state(self, retrying: Collection[str]) -> State:
        """Return the state. `retrying`: ids of the subscriptions with an event that waits for its retry."""
        if self.disabled is not None:
            return "disabled"
        return "failing" if self.failing_since is not None or self.id in retrying else "active"

    def signing_secrets(self, now: float) -> tuple[Secret, ...]:
        return tuple(Secret(kept.text) for kept in self.secrets if kept.until is None or now < kept.until)


class UnreadableSubscription(ValueError):
    """Raised for a stored document that is not a subscription; its text says why and shows no secret."""


class Known(NamedTuple):
    revision: int
    subscription: Subscription
    parsed: Parsed | None
    seen_by: SeenBy | None = None


class _Nothing(NamedTuple):
    condition: Condition
    selection: None


NOTHING = _Nothing(Or(()), None)


class ActiveSubscriptions:
    """A snapshot of the active subscriptions."""

    def __init__(self, known: Mapping[str, Known], api_of: Mapping[str, str]) -> None:
        self._known = known
        self._api_of = api_of

    def __contains__(self, id: str) -> bool:
        return id in self._known

    def __len__(self) -> int:
        return len(self._known)

    def __getitem__(self, id: str) -> Subscription:
        return self._known[id].subscription

    def ids(self) -> list[str]:
        return list(self._known)

    def get(self, id: str) -> Subscription | None:
        known = self._known.get(id)
        return known.subscription if known else None

    def matching(self, kind: str, event: Document) -> list[str]:
        """Return the ids of the subscriptions that get this event of a resource of this kind."""
        api = self._api_of.get(kind)
        return [id for id, known in self._known.items() if known.subscription.api == api and _wants(known, kind, event)]

    def wants(self, id: str, kind: str, event: Document) -> bool:
        known = self._known.get(id)
        return known is not None and known.subscription.api == self._api_of.get(kind) and _wants(known, kind, event)

    def selected(self, id: str, kind: str, event: Document) -> Document:
        """Return the members of an event that the subscription wants and may see; the event itself when it gets all."""
        known = self._known.get(id)
        if known is None:
            return event
        seen = seen_event(kind, event, known.seen_by) or {}
        selection = known.parsed.selection if known.parsed else None
        return selection.select(seen) if selection else seen


def _wants(known: Known, kind: str, event: Document) -> bool:
    seen = seen_event(kind, event, known.seen_by)
    return seen is not None and (known.parsed is None or matches(known.parsed.condition, seen))


def written(subscription: Subscription) -> Document:
    return {
        "id": subscription.id,
        "callback": subscription.callback,
        "query": subscription.query,
        "api": subscription.api,
        "secrets": [{"text": kept.text, "until": kept.until} for kept in subscription.secrets],
        "failingSince": subscription.failing_since,
        "disabled": subscription.disabled,
        **({"owner": _written_owner(subscription.owner)} if subscription.owner else {}),
        **({"further": dict(subscription.further)} if subscription.further else {}),
    }


def read_subscription(document: Mapping[str, Any]) -> Subscription:
    """Raises UnreadableSubscription."""
    try:
        subscription = Subscription(
            id=_of(document["id"], str),
            api=_of(document["api"], str),
            callback=_of(document["callback"], str),
            query=_of(document["query"], str, NoneType),
            secrets=tuple(map(_read_secret, document.get("secrets", ()))),
            failing_since=_of(document.get("failingSince"), float, int, NoneType),
            disabled=_of(document.get("disabled"), str, NoneType),
            owner=_read_owner(document["owner"]) if "owner" in document else None,
            further=_of(document.get("further", {}), dict),
        )
    except InvalidSecret as error:
        raise UnreadableSubscription(f"a secret is not valid (it is not shown): {error}") from None
    except (KeyError, TypeError) as error:
        raise UnreadableSubscription(f"it is not in the form of a subscription: {type(error).__name__}") from None
    return subscription


def _read_secret(document: Mapping[str, Any]) -> KeptSecret:
    text = _of(document["text"], str)
    Secret(text)
    return KeptSecret(text, _of(document["until"], float, int, NoneType))


def _written_owner(owner: Principal) -> Document:
    return {"subject": owner.subject, "roles": sorted(owner.roles), "parties": sorted(owner.parties)}


def _read_owner(document: Mapping[str, Any]) -> Principal:
    roles, parties = (frozenset(_of(each, str) for each in _of(document[name], list)) for name in ("roles", "parties"))
    return Principal(_of(document["subject"], str), roles, parties)


def _of(value: Any, *types: type) -> Any:
    """Return the value; raises TypeError when it has another type. A boolean is not a number."""
    if isinstance(value, bool) or not isinstance(value, types):
        raise TypeError
    return value
