"""Speaks to a service byte by byte, for what no HTTP library sends."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

import httpx

PATIENCE = 60.0


class Wire:
    """One TCP connection to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._socket.sendall(piece)

    def end_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self) -> httpx.Response:
        """The next answer, an interim one (100) too; every answer of the service tells its length."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._exactly(1)
        status, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        headers = httpx.Headers([(name, value) for name, _, value in (line.partition(": ") for line in lines)])
        body = self._exactly(int(headers.get("content-length", 0)))
        return httpx.Response(int(status.split()[1]), headers=headers, content=body)

    def is_closed(self) -> bool:
        """Whether the service closes the connection; waits for that, or for a byte."""
        try:
            return self._socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            piece = self._socket.recv(size - len(found))
            if not piece:
                raise ConnectionError(f"the service closed the connection after {found!r}")
            found += piece
        return found


def head(method: str, path: str, *lines: str) -> bytes:
    """The head of a request; `lines` are whole headers."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode("latin-1")


def chunked(*pieces: bytes) -> list[bytes]:
    """A body in chunks, the last one included (RFC 9112, 7.1)."""
    return [*(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]
