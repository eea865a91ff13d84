"""uvicorn's HTTP/1.1 that stays HTTP/1.1: a request that offers another protocol is answered like any other.

Java's HttpClient offers HTTP/2 with every first request over plain http, and httptools takes what follows such an offer
for the other protocol, so the body would be lost. RFC 9110, 7.8: "A server MAY ignore a received Upgrade header field".
"""

from __future__ import annotations

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_END = b"\r\n\r\n"
UPGRADE = re.compile(rb"\r\nupgrade[ \t]*:", re.IGNORECASE)


class NoUpgrades(HttpToolsProtocol):
    """Hides the Upgrade header from the parser; the header `X-Upgrade-Ignored` has its value."""

    def data_received(self, data: bytes) -> None:
        super().data_received(without_upgrade(data) if self._a_head_is_next() else data)

    def _a_head_is_next(self) -> bool:
        return self.cycle is None or self.cycle.response_complete or not self.cycle.more_body


def without_upgrade(data: bytes) -> bytes:
    """What begins a request, its Upgrade header under another name; the body stays as it is."""
    head, end, rest = data.partition(HEAD_END)
    return UPGRADE.sub(b"\r\nX-Upgrade-Ignored:", head) + end + rest
