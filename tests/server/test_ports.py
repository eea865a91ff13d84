"""Ports are closed without resetting a connection."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from tmf_sales.server.ports import ignore_new_connections, take_accept_queue

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="socket filters of Linux")


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with contextlib.ExitStack() as opened:
        try:
            listener = opened.enter_context(socket.create_server((request.param, 0), family=family))
        except OSError:
            pytest.skip(f"this machine has no {request.param}")
        yield listener


def connected(listener: socket.socket, timeout: float = 60) -> socket.socket:
    return socket.create_connection(listener.getsockname()[:2], timeout=timeout)


@only_linux
def test_what_connected_before_is_served_and_what_comes_later_is_not_accepted(listener: socket.socket) -> None:
    with connected(listener) as early:
        assert ignore_new_connections(listener)
        with pytest.raises(TimeoutError):
            connected(listener, 0.05)
        (accepted,) = take_accept_queue(listener)
        listener.close()

        with accepted:
            early.sendall(b"question")
            assert accepted.recv(8) == b"question"
            accepted.sendall(b"answer")
            assert early.recv(6) == b"answer"


def test_a_system_without_filters_closes_as_well() -> None:
    listener = Mock(setsockopt=Mock(side_effect=OSError))

    assert not ignore_new_connections(listener)
