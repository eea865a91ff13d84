"""A replica set of three MongoDB servers, for tests of what happens when a member goes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError
from tests.mongodb.server import MongoServer

ELECTION = 2000
"""Milliseconds without a heartbeat of the primary until another member stands for election; MongoDB's own: 10,000."""
# By its own default, a secondary follows a primary that hangs for ten seconds: so long, no majority has a new write.
PROMPT = ("--setParameter", "oplogNetworkTimeoutBufferSeconds=1")
PATIENCE = 180.0

Found = TypeVar("Found")


class ReplicaSet:
    """Three members on ports that the system chooses; `hosts` are those under which clients and members know them."""

    def __init__(self, folder: Path, options: Sequence[str | Path] = ()) -> None:
        self.members = [
            MongoServer(folder / f"member{number}", ("--replSet", "rs0", *PROMPT, *options)) for number in range(3)
        ]

    def start(self) -> None:
        for member in self.members:
            member.start()

    def initiate(self, hosts: Sequence[str] = ()) -> None:
        """Make the members a set. `hosts` where they are to be reached otherwise than at their own ports."""
        self.hosts = list(hosts) or [f"127.0.0.1:{member.port}" for member in self.members]
        members = [{"_id": number, "host": host} for number, host in enumerate(self.hosts)]
        settings = {"electionTimeoutMillis": ELECTION, "heartbeatIntervalMillis": 500}
        with self.client_of(self.members[0]) as client:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members, "settings": settings})
        self.primary()

    def uri(self, database: str, options: str = "") -> str:
        return f"mongodb://{','.join(self.hosts)}/{database}?replicaSet=rs0{'&' * bool(options)}{options}"

    def primary(self) -> MongoServer:
        """The member that a majority has elected; waits until there is one."""
        return _wait(lambda: next((each for each in self.members if self._state(each) == "primary"), None))

    def secondaries(self) -> list[MongoServer]:
        primary = self.primary()
        return [each for each in self.members if each is not primary]

    def step_down(self) -> None:
        """Make the primary give up; some member, perhaps the same one, is elected."""
        # It may close all connections.
        with self.client_of(self.primary()) as client, contextlib.suppress(AutoReconnect):
            client.admin.command({"replSetStepDown": 5, "secondaryCatchUpPeriodSecs": 5})

    def settle(self) -> None:
        """Wait until there is a primary and the others follow it."""
        _wait(lambda: sorted(map(self._state, self.members)) == ["primary", "secondary", "secondary"])

    def wait_for_write(self) -> float:
        """Write until a majority has taken one; return when that was, by the monotonic clock."""

        def write() -> float | None:
            limits = "serverSelectionTimeoutMS=1000&connectTimeoutMS=1000&socketTimeoutMS=2000"
            client: MongoClient[dict[str, Any]] = MongoClient(self.uri("probe", f"w=majority&wtimeoutMS=1000&{limits}"))
            with client:
                try:
                    client.probe.writes.insert_one({"probe": True})
                except PyMongoError:
                    return None
            return time.monotonic()

        return _wait(write)

    def client_of(self, member: MongoServer, **options: Any) -> MongoClient[dict[str, Any]]:
        """A client of this member alone, whatever its role."""
        return MongoClient(
            member.uri,
            directConnection=True,
            **{"serverSelectionTimeoutMS": 2000, "socketTimeoutMS": 10_000, "w": 1, "journal": False, **options},
        )

    def close(self) -> None:
        for member in self.members:
            member.close()

    def _state(self, member: MongoServer) -> str:
        if not member.is_running:
            return "away"
        try:
            with self.client_of(member, serverSelectionTimeoutMS=500, socketTimeoutMS=500) as client:
                said = client.admin.command("hello")
        except PyMongoError:
            return "away"
        if said.get("isWritablePrimary"):
            return "primary"
        return "secondary" if said.get("secondary") else "other"


def _wait(look: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError("the replica set has not come to it")
        time.sleep(0.05)
    return found
