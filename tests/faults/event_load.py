"""Writers that create, change and delete leads while the service is killed under them, and know what became of it.

Each write has an id of its own: it is the correlation id of its events, and it stands in what it writes. So a write
that was not answered can be looked up afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

LEADS = "/tmf-api/sales/v4/salesLead"
EVENTS_OF = {
    "create": ["SalesLeadCreateEvent"],
    "patch": ["SalesLeadAttributeValueChangeEvent"],
    "start": ["SalesLeadStateChangeEvent", "SalesLeadAttributeValueChangeEvent"],
    "delete": ["SalesLeadDeleteEvent"],
}


@dataclass(slots=True)
class Write:
    """One write; `happened` is None until it is known."""

    id: str
    what: str
    happened: bool | None = None
    acknowledged: bool = False

    @property
    def events(self) -> list[str]:
        return EVENTS_OF[self.what]


@dataclass(slots=True)
class Load:
    """All writers together. `url` is where the service is now; `longest` the longest wait for an answer, in seconds."""

    chance: random.Random
    url: str = ""
    writes: list[Write] = field(default_factory=list)
    under_way: int = 0
    cut_off: int = 0
    refused: int = 0
    longest: float = 0.0
    is_over: bool = False
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def write_on(self) -> None:
        """Be one writer until the load is over: one lead after the other, one write at a time."""
        async with httpx.AsyncClient(timeout=30) as client:
            while not self.is_over:
                await self._one_lead(client)

    async def _one_lead(self, client: httpx.AsyncClient) -> None:
        write = self._begin("create")
        answer = await self._send(client, "POST", "", {"name": write.id}, write)
        id = answer.json()["id"] if answer else await self._id_of(client, write)
        if id is None:
            return
        for what in ["start", "patch", "patch", *self.chance.choice([["delete"], ["patch"], []])]:
            write = self._begin(what)
            body = {"description": write.id} | ({"status": "inProgress"} if what == "start" else {})
            method = "DELETE" if what == "delete" else "PATCH"
            if not await self._send(client, method, f"/{id}", None if what == "delete" else body, write):
                await self._look_up(client, id, write)
            if self.is_over:
                return

    def _begin(self, what: str) -> Write:
        write = Write(f"w{next(self._numbers)}", what)
        self.writes.append(write)
        return write

    async def _send(
        self, client: httpx.AsyncClient, method: str, path: str, body: object, write: Write
    ) -> httpx.Response | None:
        """The answer, or None when there was none; a service that is not there has not been asked."""
        await asyncio.sleep(self.chance.random() * 0.1)
        headers = {"X-Correlation-ID": write.id}
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        while True:
            self.under_way += 1
            begun = time.monotonic()
            try:
                answer = await client.request(method, f"{self.url}{LEADS}{path}", json=body, headers=headers)
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
                continue
            except httpx.TransportError:
                self.cut_off += 1
                return None
            finally:
                self.under_way -= 1
                self.longest = max(self.longest, time.monotonic() - begun)
            if answer.status_code == 503:
                self.refused += 1
                return None
            assert answer.status_code in {200, 201, 204}, answer.text
            write.happened = write.acknowledged = True
            return answer

    async def _id_of(self, client: httpx.AsyncClient, write: Write) -> str | None:
        """The id of the lead that an unanswered write may have made."""
        found = (await self._read(client, f"?name={write.id}")).json()
        write.happened = bool(found)
        return str(found[0]["id"]) if found else None

    async def _look_up(self, client: httpx.AsyncClient, id: str, write: Write) -> None:
        answer = await self._read(client, f"/{id}")
        if write.what == "delete":
            write.happened = answer.status_code == 404
        else:
            write.happened = answer.json().get("description") == write.id

    async def _read(self, client: httpx.AsyncClient, path: str) -> httpx.Response:
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await client.get(f"{self.url}{LEADS}{path}")
                if answer.status_code in {200, 404}:
                    return answer
            await asyncio.sleep(0.05)
