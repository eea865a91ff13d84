"""An HTTP client for servers that may misbehave in any way.

Guarantee: every request ends within its timeout, with a response of bounded size or with NoResponse. The client does
not follow redirects, and sends credentials only to the host that the user named.
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

from tmf_conformance.http.response import Response
from tmf_conformance.interaction import Interaction, Secrets
from tmf_conformance.outcome import NoResponse

RESPONSE_LIMIT = 8 * 1024 * 1024
JSON = "application/json"
# Characters of a path or query that are sent unchanged; all others are percent-encoded, and none twice.
_UNENCODED = "%/:=&?,;@$!'()*+~-._[]"


class Client:
    """`base`: the base path of the API as a URL, without a slash at its end."""

    def __init__(self, base: str, headers: Mapping[str, str], timeout: float, *, insecure: bool = False) -> None:
        parts = urlsplit(base)
        login, _, host = parts.netloc.rpartition("@")
        self.base = parts._replace(netloc=host).geturl()
        self.origin = f"{parts.scheme}://{host}"
        self.timeout = timeout
        self._headers = with_basic_authentication(headers, unquote(login))
        self.secrets = Secrets.of({**self._headers, "login": unquote(login).replace(":", " ")})
        self._verify = certificates(insecure) if parts.scheme == "https" else False
        self._http = self._new()

    def _new(self) -> httpx.Client:
        # No proxy and no credentials from the environment or from files of this machine.
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
    ) -> Response:
        """Send a request; `path` is below `base` or a URL of the same origin, `raw` is sent instead of a JSON body."""
        url = path if path.startswith(("http://", "https://")) else f"{self.base}{path}"
        text = raw if raw is not None else "" if body is None else json.dumps(body, ensure_ascii=False)
        own = {"Accept": JSON} | ({"Content-Type": JSON} if text else {}) | dict(headers or {})
        interaction = Interaction(
            method, quote(url, safe=_UNENCODED, errors="replace"), list(own.items()), text, self.secrets
        )
        sent = {name: value for name, value in own.items() if value} | self._headers
        self._send_in_time(interaction, sent)
        if interaction.problem:
            raise NoResponse(f"a complete response; {interaction.problem}", interaction)
        return Response(interaction)

    def _send_in_time(self, interaction: Interaction, headers: Mapping[str, str]) -> None:
        """Send on a thread: httpx has no timeout for a whole response, which may trickle in slowly."""
        received = Received()
        work = partial(receive, self._http, interaction, headers, received)
        threading.Thread(target=work, daemon=True).start()
        try:
            in_time = received.done.wait(self.timeout)
        except KeyboardInterrupt:
            self._abandon_connection()
            raise
        if not in_time:
            self._abandon_connection()
        if not in_time or received.late:
            interaction.problem = f"no complete response within {self.timeout:g} seconds"
            return
        interaction.problem, interaction.status = received.problem, received.status
        interaction.headers, interaction.content = received.headers, received.content

    def _abandon_connection(self) -> None:
        """Leave the connection to its thread, and use a new one from now on."""
        self._http.close()
        self._http = self._new()


@dataclass(slots=True)
class Received:
    """The thread's result; only read it once `done` is set."""

    done: threading.Event = field(default_factory=threading.Event)
    late: bool = False
    problem: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


def receive(http: httpx.Client, interaction: Interaction, headers: Mapping[str, str], into: Received) -> None:
    content = interaction.request_body.encode("utf-8", "surrogatepass") if interaction.request_body else None
    received = bytearray()
    try:
        with http.stream(interaction.method, interaction.url, content=content, headers=headers) as response:
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > RESPONSE_LIMIT:
                    into.problem = f"the response is larger than {RESPONSE_LIMIT // 1024 // 1024} MB"
                    break
        into.status, into.headers, into.content = (
            response.status_code,
            response.headers,
            bytes(received[:RESPONSE_LIMIT]),
        )
    except httpx.TimeoutException:
        into.late = True
    except Exception as error:  # noqa: BLE001 - httpx does not only raise its own exceptions
        into.problem = f"no response: {describe(error)}"
    finally:
        into.done.set()


def certificates(insecure: bool) -> ssl.SSLContext | bool:
    """Trust the machine's certificates, or those in the file SSL_CERT_FILE, instead of the list that httpx ships."""
    return False if insecure else ssl.create_default_context()


def with_basic_authentication(headers: Mapping[str, str], login: str) -> dict[str, str]:
    """Send a login in the URL as Basic authentication, unless there is a header (RFC 7617, 2)."""
    if not login or "authorization" in map(str.lower, headers):
        return dict(headers)
    return {**headers, "Authorization": f"Basic {b64encode(login.encode()).decode()}"}


def describe(error: Exception) -> str:
    """The error in one line; if an exception of httpx has no text, that of its cause."""
    while not str(error) and error.__cause__ is not None:
        error = error.__cause__  # type: ignore[assignment]
    return " ".join(str(error).split()) or type(error).__name__
