"""A head and the beginning of its body are one write, and no head waits for what may come much later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from tmf_sales.server.joined_writes import CONTINUE, JoinedWrites

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Wire(asyncio.Transport):
    """Records what is written by each call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.calls.append(data)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.calls.append(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def writes(wire: Wire) -> JoinedWrites:
    return JoinedWrites(wire)


def test_a_head_is_written_with_the_first_part_of_its_body(wire: Wire, writes: JoinedWrites) -> None:
    writes.write(HEAD)
    assert wire.calls == []

    for part in (b"ab", b"cd"):
        writes.write(part)

    assert wire.calls == [HEAD + b"ab", b"cd"]


def test_the_head_of_a_stream_goes_out_at_once(wire: Wire, writes: JoinedWrites) -> None:
    writes.write(STREAM)
    writes.write(HEAD)  # a part of a body may look like a head

    assert wire.calls == [STREAM, HEAD]


def test_100_continue_goes_out_at_once_and_is_no_head(wire: Wire, writes: JoinedWrites) -> None:
    writes.write(CONTINUE)
    assert wire.calls == [CONTINUE]

    writes.write(HEAD)
    writes.write(b"abcd")

    assert wire.calls == [CONTINUE, HEAD + b"abcd"]


def test_a_head_without_a_body_is_written_once(wire: Wire, writes: JoinedWrites) -> None:
    writes.write(HEAD)
    writes.flush()
    writes.flush()

    assert wire.calls == [HEAD]
    assert not writes.is_closing()


def test_a_held_head_is_written_before_the_end(wire: Wire, writes: JoinedWrites) -> None:
    writes.write(HEAD)
    writes.close()

    assert wire.calls == [HEAD]
    assert writes.is_closing()
