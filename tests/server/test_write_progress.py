"""What a client does not read ends its connection."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tmf_sales.server import write_progress
from tmf_sales.server.write_progress import LEAST_PROGRESS, WriteWatch


class Unread(asyncio.Transport):
    """A transport with so many bytes in its buffer."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.aborted = asyncio.Event()

    def get_write_buffer_size(self) -> int:
        return self.size

    def abort(self) -> None:
        self.aborted.set()


def watch(transport: Unread) -> WriteWatch:
    return WriteWatch(transport, asyncio.get_running_loop())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_progress, "WRITE_SECONDS", 0.0)


async def turns(number: int = 10) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_standstill_ends_the_connection() -> None:
    transport = Unread(LEAST_PROGRESS)
    watch(transport).start()

    await transport.aborted.wait()


async def test_progress_keeps_it() -> None:
    transport = Unread(100 * LEAST_PROGRESS)
    watch(transport).start()
    for _ in range(50):
        transport.size -= LEAST_PROGRESS
        await asyncio.sleep(0)

    assert not transport.aborted.is_set()
    await transport.aborted.wait()


async def test_what_is_written_after_a_drain_is_no_standstill() -> None:
    transport = Unread(1)
    watched = watch(transport)
    watched.start()
    for _ in range(20):
        watched.drained()
        transport.size += 1
        await asyncio.sleep(0)

    assert not transport.aborted.is_set()
    watched.stop()


async def test_an_empty_buffer_ends_the_watch() -> None:
    transport = Unread(1)
    watched = watch(transport)
    watched.start()
    transport.size = 0
    await turns()
    transport.size = 1
    await turns()

    assert not transport.aborted.is_set()
    assert watched not in write_progress._watched


async def test_the_oldest_standstill_gives_way_when_there_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_progress, "WRITE_SECONDS", 60.0)
    monkeypatch.setattr(write_progress, "MOST_UNREAD", 10)
    first, second, third = Unread(4), Unread(4), Unread(4)
    watches = [watch(each) for each in (first, second, third)]
    for each in watches:
        each.start()

    assert [each.aborted.is_set() for each in (first, second, third)] == [True, False, False]
    for each in watches:
        each.stop()


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="this system has no such bound")
def test_connections_inherit_the_bound_on_what_the_system_keeps() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        write_progress.limit_unsent(listener)
        with socket.create_connection(listener.getsockname()) as _, listener.accept()[0] as accepted:
            found = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)

    assert found == write_progress.UNSENT_IN_SYSTEM
