"""Three mongods, two services of two workers behind nginx with TLS and a prefix, and two delivery workers.

Guarantee: every process is ended, by its id only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path

import httpx
from scripts.soak.processes import Node
from tests.edge.nginx import Proxy, nginx
from tests.mongodb.replica_set import ReplicaSet

HOST = "crm.example.com"
LINKS = f"https://{HOST}/sales"
HUB = "/tmf-api/sales/v4/hub"
SETTINGS = {
    "TMF_SALES_TRUSTED_PROXIES": "127.0.0.1",
    "TMF_SALES_TRUSTED_HOSTS": HOST,
    "TMF_SALES_CALLBACK_NETWORKS": "127.0.0.0/8",
    "TMF_SALES_DRAIN": "2",
    "TMF_SALES_EVENT_RETENTION": "PT10M",
}
OPLOG = ("--oplogSize", "990")


class Stack:
    """The processes, and the steps that restart them, by their names in plan.py."""

    def __init__(self, folder: Path) -> None:
        self.set = ReplicaSet(folder / "set", OPLOG)
        self._folder = folder
        self.nodes: dict[str, Node] = {}

    def start(self) -> None:
        self.set.start()
        self.set.initiate()
        store = ["--store", self.set.uri("soak")]
        serve, deliver = ["serve", "--no-delivery", *store], ["deliver", *store]
        self._add("service one", serve, workers=2)
        self._add("service two", serve, workers=2)
        self._add("deliver one", deliver)
        self._add("deliver two", deliver)

    def _add(self, name: str, options: list[str], workers: int = 1) -> None:
        node = Node(name, options, self._folder / f"{name.replace(' ', '-')}.log", SETTINGS, workers)
        self.nodes[name] = node
        node.start()

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()
        self.set.close()

    def run_step(self, step: str) -> None:
        """Do it, and return once everything is there again."""
        steps: dict[str, Callable[[], None]] = {
            "restart the workers of service one": self.nodes["service one"].restart_workers,
            "restart service one": self.nodes["service one"].restart,
            "restart service two": self.nodes["service two"].restart,
            "restart deliver one": self.nodes["deliver one"].restart,
            "restart deliver two": self.nodes["deliver two"].restart,
            "stop a secondary": lambda: self._restart_member(primary=False, kill=False),
            "kill a secondary": lambda: self._restart_member(primary=False, kill=True),
            "stop the primary": lambda: self._restart_member(primary=True, kill=False),
            "kill the primary": lambda: self._restart_member(primary=True, kill=True),
            "reload everything": self._reload,
        }
        steps[step]()
        self.set.settle()

    def _restart_member(self, *, primary: bool, kill: bool) -> None:
        member = self.set.primary() if primary else self.set.secondaries()[0]
        (member.kill if kill else member.stop)()
        member.start()

    def _reload(self) -> None:
        for node in self.nodes.values():
            node.reload()


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Stack, Proxy]]:
    """Run everything within this context."""
    stack = Stack(folder)
    with contextlib.ExitStack() as ends:
        ends.callback(stack.close)
        await asyncio.to_thread(stack.start)
        ports = [node.port for node in stack.nodes.values() if node.port]
        yield stack, ends.enter_context(nginx(folder, ports))


def client_of(proxy: Proxy) -> httpx.AsyncClient:
    limits = httpx.Limits(max_keepalive_connections=32)
    headers = {"Host": HOST}
    return httpx.AsyncClient(
        base_url=f"{proxy.url}/sales", verify=proxy.trust, headers=headers, timeout=60, limits=limits
    )


async def subscribe(client: httpx.AsyncClient, callback: str) -> None:
    response = await client.post(HUB, json={"callback": callback})
    if response.status_code != HTTPStatus.CREATED:
        raise RuntimeError(f"the subscription is rejected: {response.text}")
