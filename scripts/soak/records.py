"""Remembers what was written and what arrived, and says what is missing.

Guarantee: an acknowledged write that is not there, an event that is missing, made up, or out of order within its
resource is a problem. What is complete is dropped, so that an hour fits into memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

CREATE, START, PATCH, DELETE = "create", "start", "patch", "delete"
EVENTS = {
    CREATE: ("SalesLeadCreateEvent",),
    START: ("SalesLeadStateChangeEvent", "SalesLeadAttributeValueChangeEvent"),
    PATCH: ("SalesLeadAttributeValueChangeEvent",),
    DELETE: ("SalesLeadDeleteEvent",),
}
SHOWN = 20


@dataclass(slots=True)
class Write:
    """One write; its number is the correlation id of its events and stands in what it writes."""

    number: int
    what: str
    acknowledged: bool = False


@dataclass(slots=True)
class Lead:
    """The writes of one lead, in their order, and the first arrival of each of its events."""

    writes: list[Write] = field(default_factory=list)
    arrived: list[tuple[int, str]] = field(default_factory=list)
    event_ids: set[str] = field(default_factory=set)
    is_over: bool = False

    def waits(self) -> bool:
        """Tell whether an event of an acknowledged write has not arrived."""
        return bool(self._expected() - Counter(self.arrived))

    def problems(self) -> Iterator[str]:
        sure = {write.number for write in self.writes if write.acknowledged}
        arrived = Counter(self.arrived)
        yield from (f"missing: {event}" for event in self._expected() - arrived)
        possible = Counter((write.number, event) for write in self.writes for event in EVENTS[write.what])
        yield from (f"made up: {event}" for event in arrived - possible)
        numbers = [number for number, _ in self.arrived if number in sure]
        if numbers != sorted(numbers):
            yield f"out of order: {numbers}"

    def _expected(self) -> Counter[tuple[int, str]]:
        return Counter(
            (write.number, event) for write in self.writes if write.acknowledged for event in EVENTS[write.what]
        )


class Records:
    """All leads.

    `kept` has those that must exist at the end, with the numbers that their description may have; `unsure` the
    creations without an acknowledgement that had not happened when somebody looked, but may happen later.
    """

    def __init__(self) -> None:
        self.leads: dict[str, Lead] = {}
        self.complete: dict[str, frozenset[int]] = {}
        self.kept: dict[str, set[int]] = {}
        self.unsure: set[int] = set()
        self.problems: list[str] = []
        self.acknowledged = self.unknown = 0
        self.events = self.again = 0

    def add_problem(self, text: str) -> None:
        if len(self.problems) < SHOWN:
            self.problems.append(text)

    def lead(self, id: str) -> Lead:
        return self.leads.setdefault(id, Lead())

    def add_event(self, event: Mapping[str, Any]) -> None:
        id, event_id = event["event"]["salesLead"]["id"], event["eventId"]
        if id in self.complete:
            if hash(event_id) not in self.complete[id]:
                self.add_problem(f"lead {id}: made up: {event['eventType']} {event_id}")
            self.again += 1
            return
        lead = self.lead(id)
        if event_id in lead.event_ids:
            self.again += 1
            return
        lead.event_ids.add(event_id)
        lead.arrived.append((int(event["correlationId"]), event["eventType"]))
        self.events += 1
        self._drop_if_complete(id, lead)

    def end(self, id: str, lead: Lead) -> None:
        """No further write of this lead follows."""
        lead.is_over = True
        sure = sum(write.acknowledged for write in lead.writes)
        self.acknowledged += sure
        self.unknown += len(lead.writes) - sure
        self._drop_if_complete(id, lead)

    def finish(self) -> None:
        """Report what is still not complete."""
        for id, lead in self.leads.items():
            if lead.writes or any(number not in self.unsure for number, _ in lead.arrived):
                for problem in lead.problems():
                    self.add_problem(f"lead {id}: {problem}")

    def _drop_if_complete(self, id: str, lead: Lead) -> None:
        if not lead.is_over or lead.waits() or not all(write.acknowledged for write in lead.writes):
            return
        for problem in lead.problems():
            self.add_problem(f"lead {id}: {problem}")
        self.complete[id] = frozenset(map(hash, lead.event_ids))
        del self.leads[id]
