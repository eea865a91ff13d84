"""Finds out whether a server offers a feature at all, before checks judge it.

A server that lacks an optional feature, by the specification or the profile, does not fail its checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tmf_conformance.outcome import NotRun, NotSupported, Outcome
from tmf_conformance.profile import Feature, Profile
from tmf_conformance.session import Session

JSON_PATCH = "application/json-patch+json"
# Optional by the specification's own text, whatever the profile says.
ALWAYS_PROBED = frozenset({Feature.JSON_PATCH, Feature.NOTIFICATIONS})


class Features:
    """Probes each feature once and remembers what is missing."""

    def __init__(self, session: Session, profile: Profile) -> None:
        self._session = session
        self._probed = ALWAYS_PROBED | profile.optional
        self._gaps: dict[Feature, Outcome | None] = {}

    def require(self, feature: Feature | None) -> None:
        """Raises NotSupported or NotRun when the server lacks the feature."""
        probe = PROBES.get(feature) if feature is not None and feature in self._probed else None
        if probe is None or feature is None:
            return
        if feature not in self._gaps:
            self._gaps[feature] = gap(probe, self._session)
        missing = self._gaps[feature]
        if missing is not None:
            raise type(missing)(missing.reason, missing.interaction)


def gap(probe: Callable[[Session], None], session: Session) -> Outcome | None:
    try:
        probe(session)
    except (NotRun, NotSupported) as outcome:
        return outcome
    return None


def probe_patch(session: Session) -> None:
    response = session.patch(session.created(), {"description": session.new_text()})
    if response.is_missing_operation:
        raise NotSupported(f"the server has no PATCH ({response.status})", response.interaction)


def probe_json_patch(session: Session) -> None:
    """Test that a simple patch takes effect. Without JSON Patch, a server may return anything, even 2xx."""
    id = session.created()
    for op in ("add", "replace"):
        text = session.new_text()
        response = session.patch(id, [{"op": op, "path": "/description", "value": text}], JSON_PATCH)
        if session.read(id).get("description") == text:
            return
    raise NotSupported(
        f"the server does not apply JSON Patch, which is optional: it answers {response.status} and changes nothing",
        response.interaction,
    )


def probe_delete(session: Session) -> None:
    response = session.delete(session.created())
    if response.is_missing_operation:
        raise NotSupported(f"the server has no DELETE ({response.status})", response.interaction)


def probe_hub(session: Session) -> None:
    """Send an empty registration, which registers nothing. A gateway may return 403 for a missing path."""
    response = session.hub({})
    if response.is_missing_operation or response.status in {401, 403}:
        raise NotRun(f"the server offers no hub: POST /hub returns {response.status}", response.interaction)


PROBES: Mapping[Feature, Callable[[Session], None]] = MappingProxyType(
    {
        Feature.PATCH: probe_patch,
        Feature.JSON_PATCH: probe_json_patch,
        Feature.DELETE: probe_delete,
        Feature.NOTIFICATIONS: probe_hub,
    }
)
