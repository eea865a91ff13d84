"""Clients that create, read, change and delete leads at a limited rate, and check each response.

Guarantee: an error is everything but the expected status and a 503 that says in Retry-After when to come back.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from scripts.soak.records import CREATE, DELETE, PATCH, START, Lead, Records, Write

LEADS = "/tmf-api/sales/v4/salesLead"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
CLIENTS = 16
KEPT = 0.1
"""The share of leads that stay; the others are deleted at the end of their life."""
TIMEOUT = 60.0


class Pace:
    """Hands out the moments of requests; a rate of 0 is no limit. What an outage held up is not made up for."""

    def __init__(self) -> None:
        self.rate = 0.0
        self._next = 0.0

    async def wait(self) -> None:
        if not self.rate:
            return
        now = time.monotonic()
        self._next = max(self._next, now - 1 / self.rate) + 1 / self.rate
        await asyncio.sleep(max(0.0, self._next - now))


@dataclass(slots=True)
class Outage:
    """The longest time without an acknowledged write, and the announced 503s, since the last reset."""

    last: float = field(default_factory=time.monotonic)
    longest: float = 0.0
    announced: int = 0

    def acknowledge(self) -> None:
        now = time.monotonic()
        self.longest = max(self.longest, now - self.last)
        self.last = now

    def take(self) -> tuple[float, int]:
        """Return the figures and begin anew."""
        taken = self.longest, self.announced
        self.longest, self.announced = 0.0, 0
        return taken


class Load:
    """All clients together, on one connection pool to the proxy. `errors` must stay empty."""

    def __init__(self, client: httpx.AsyncClient, records: Records, chance: random.Random, links: str) -> None:
        self.records = records
        self.pace = Pace()
        self.outage = Outage()
        self.statuses: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.requests = self.writes = 0
        self.longest = 0.0
        self.is_over = False
        self._client = client
        self._chance = chance
        self._links = links
        self._numbers = itertools.count(1)

    async def run(self) -> None:
        """Send requests until `is_over`."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(self._repeat())

    async def _repeat(self) -> None:
        while not self.is_over:
            await self._one_lead()

    async def _one_lead(self) -> None:
        """Live through one lead: its creation, changes, reads and, most often, its deletion."""
        write = Write(next(self._numbers), CREATE)
        made = await self._send("POST", "", 201, write, json={"name": f"soak {write.number}"})
        if made is not None:
            id = made.json()["id"]
            if made.json()["href"] != f"{self._links}{LEADS}/{id}":
                self.records.add_problem(f"href {made.json()['href']}")
        elif (found := await self._find(write)) is not None:
            id = found
        else:
            self.records.unknown += 1
            self.records.unsure.add(write.number)
            return
        lead = self.records.lead(id)
        lead.writes.append(write)
        for what in (START, PATCH, PATCH, PATCH):
            await self._patch(id, lead, what)
            await self._read(id, lead)
        await self._send("GET", f"?name=soak%20{write.number}&fields=id,name", 200)
        if self._chance.random() < KEPT:
            self.records.kept[id] = possible_descriptions(lead)
        else:
            await self._delete(id, lead)
        self.records.end(id, lead)

    async def _patch(self, id: str, lead: Lead, what: str) -> None:
        write = Write(next(self._numbers), what)
        lead.writes.append(write)
        body = {"description": str(write.number)} | ({"status": "inProgress"} if what == START else {})
        await self._send("PATCH", f"/{id}", 200, write, json=body, headers=MERGE_PATCH)

    async def _delete(self, id: str, lead: Lead) -> None:
        write = Write(next(self._numbers), DELETE)
        lead.writes.append(write)
        await self._send("DELETE", f"/{id}", 204, write)
        if write.acknowledged:
            await self._until_answered(f"/{id}", 404)

    async def _read(self, id: str, lead: Lead) -> None:
        """Read what has just been written."""
        await self.check(id, possible_descriptions(lead))

    async def check(self, id: str, possible: set[int]) -> None:
        """Read a lead whose description must be one of these numbers."""
        read = (await self._until_answered(f"/{id}", 200)).json()
        if int(read.get("description", 0)) not in possible:
            self.records.add_problem(f"lead {id}: expected {sorted(possible)}, read {read}")

    async def _find(self, write: Write) -> str | None:
        """Return the id of the lead that a request without an acknowledgement may have created."""
        found = (await self._until_answered(f"?name=soak%20{write.number}", 200)).json()
        return str(found[0]["id"]) if found else None

    async def _until_answered(self, path: str, status: int) -> httpx.Response:
        while True:
            response = await self._send("GET", path, status)
            if response is not None:
                return response

    async def _send(
        self,
        method: str,
        path: str,
        status: int,
        write: Write | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response | None:
        """Return the expected response; None after an announced 503 or an error, which is counted."""
        await self.pace.wait()
        sent = {**(headers or {}), **({"X-Correlation-ID": str(write.number)} if write is not None else {})}
        self.requests += 1
        begun = time.monotonic()
        try:
            response = await self._client.request(method, LEADS + path, headers=sent, json=json)
        except httpx.HTTPError as error:
            self.errors[f"{method}: {type(error).__name__} {error}"] += 1
            await asyncio.sleep(0.1)
            return None
        finally:
            self.longest = max(self.longest, time.monotonic() - begun)
        if response.status_code == status:
            self.statuses[f"{method} {status}"] += 1
            if write is not None:
                write.acknowledged = True
                self.writes += 1
                self.outage.acknowledge()
            return response
        await self._count_failure(method, response)
        return None

    async def _count_failure(self, method: str, response: httpx.Response) -> None:
        if response.status_code == 503 and "retry-after" in response.headers:
            self.statuses[f"{method} 503"] += 1
            self.outage.announced += 1
            await asyncio.sleep(min(int(response.headers["retry-after"]), 5))
        else:
            self.errors[f"{method}: {response.status_code} {' '.join(response.text.split())[:200]}"] += 1
            await asyncio.sleep(0.1)


def possible_descriptions(lead: Lead) -> set[int]:
    """Return the number of the last acknowledged change, and those of changes that may still happen."""
    changes = [write for write in lead.writes if write.what in (START, PATCH)]
    sure = max((number for number, write in enumerate(changes) if write.acknowledged), default=-1)
    possible = {write.number for write in changes if not write.acknowledged}
    return possible | ({changes[sure].number} if sure >= 0 else {0})
