"""Speaks HTTP to a server of which nothing is known.

Promise: every request ends within its time and with a bounded answer, or in NoAnswer with a sentence. Redirects are
not followed, and credentials go to no other place than the one that was named.
"""

from __future__ import annotations

import json
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

import httpx

from tmf_conformance.interaction import Answer, Exchange, Secrets
from tmf_conformance.check import NoAnswer

ANSWER_LIMIT = 8 * 1024 * 1024
JSON = "application/json"
# What of a path or query stands as it is; everything else is percent-encoded, and nothing twice.
_AS_IT_IS = "%/:=&?,;@$!'()*+~-._[]"


class Client:
    """`base` is the URL under which the API's resources are, without a slash at its end."""

    def __init__(self, base: str, headers: Mapping[str, str], timeout: float, *, insecure: bool = False) -> None:
        parts = urlsplit(base)
        login, _, host = parts.netloc.rpartition("@")
        self.base = parts._replace(netloc=host).geturl()
        self.origin = f"{parts.scheme}://{host}"
        self.timeout = timeout
        self._headers = with_login(headers, unquote(login))
        self.secrets = Secrets.of({**self._headers, "login": unquote(login).replace(":", " ")})
        self._verify = certificates(insecure) if parts.scheme == "https" else False
        self._http = self._new()

    def _new(self) -> httpx.Client:
        # No proxy, and no credentials from files of this machine.
        timeout = httpx.Timeout(self.timeout)
        return httpx.Client(follow_redirects=False, timeout=timeout, trust_env=False, verify=self._verify)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: str | None = None,
    ) -> Answer:
        """`path` is below `base`, or a whole URL of the same origin; `raw` is sent as it is instead of a JSON body."""
        url = path if path.startswith(("http://", "https://")) else f"{self.base}{path}"
        text = raw if raw is not None else "" if body is None else json.dumps(body, ensure_ascii=False)
        own = {"Accept": JSON} | ({"Content-Type": JSON} if text else {}) | dict(headers or {})
        exchange = Exchange(method, quote(url, safe=_AS_IT_IS, errors="replace"), list(own.items()), text, self.secrets)
        sent = {name: value for name, value in own.items() if value} | self._headers
        self._exchange(exchange, sent)
        if exchange.problem:
            raise NoAnswer(f"a complete answer; {exchange.problem}", exchange)
        return Answer(exchange)

    def _exchange(self, exchange: Exchange, headers: Mapping[str, str]) -> None:
        """On a thread, because only so the whole of an answer can be bounded in time, however it trickles in."""
        received = Received()
        work = partial(receive, self._http, exchange, headers, received)
        threading.Thread(target=work, daemon=True).start()
        try:
            in_time = received.done.wait(self.timeout)
        except KeyboardInterrupt:
            self._give_up()
            raise
        if not in_time:
            self._give_up()
        if not in_time or received.late:
            exchange.problem = f"no complete answer within {self.timeout:g} seconds"
            return
        exchange.problem, exchange.status = received.problem, received.status
        exchange.headers, exchange.content = received.headers, received.content

    def _give_up(self) -> None:
        """Leave the connection to its thread, which ends with it."""
        self._http.close()
        self._http = self._new()


@dataclass(slots=True)
class Received:
    """What a thread has got so far; nobody looks at it before it is done."""

    done: threading.Event = field(default_factory=threading.Event)
    late: bool = False
    problem: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


def receive(http: httpx.Client, exchange: Exchange, headers: Mapping[str, str], into: Received) -> None:
    content = exchange.request_body.encode("utf-8", "surrogatepass") if exchange.request_body else None
    received = bytearray()
    try:
        with http.stream(exchange.method, exchange.url, content=content, headers=headers) as response:
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > ANSWER_LIMIT:
                    into.problem = f"the answer is larger than {ANSWER_LIMIT // 1024 // 1024} MB"
                    break
        into.status, into.headers, into.content = response.status_code, response.headers, bytes(received[:ANSWER_LIMIT])
    except httpx.TimeoutException:
        into.late = True
    except Exception as error:  # noqa: BLE001 - httpx lets more through than its own exceptions
        into.problem = f"no answer: {said(error)}"
    finally:
        into.done.set()


def certificates(insecure: bool) -> ssl.SSLContext | bool:
    """Those that the machine trusts, or whose file SSL_CERT_FILE names; not httpx's own list."""
    return False if insecure else ssl.create_default_context()


def with_login(headers: Mapping[str, str], login: str) -> dict[str, str]:
    """A login in the URL is Basic authentication, unless a header says otherwise (RFC 7617, 2)."""
    if not login or "authorization" in map(str.lower, headers):
        return dict(headers)
    return {**headers, "Authorization": f"Basic {b64encode(login.encode()).decode()}"}


def said(error: Exception) -> str:
    """What went wrong, in one line; httpx leaves some of its exceptions without a text."""
    while not str(error) and error.__cause__ is not None:
        error = error.__cause__  # type: ignore[assignment]
    return " ".join(str(error).split()) or type(error).__name__
