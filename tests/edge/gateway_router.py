"""A small gateway that routes as Kong documents it: the routes of its converter, and a prefix that is taken away.

It is no Kong: it takes the first route whose method and regular expression match, forwards the request as it came, and
adds the X-Forwarded- headers that Kong sends. https://developer.konghq.com/gateway/entities/route/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx

HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}
PATIENCE = 60.0


class Routes:
    """The routes of several declarative configurations together."""

    def __init__(self, configurations: Sequence[Mapping[str, Any]]) -> None:
        self._routes = [
            (route["methods"], re.compile(path.replace("(?<", "(?P<")), route["name"])
            for configuration in configurations
            for service in configuration["services"]
            for route in service["routes"]
            for path in route["paths"]
        ]

    def found(self, method: str, path: str) -> str | None:
        return next(
            (name for methods, path_of, name in self._routes if method in methods and path_of.match(path)), None
        )


@contextmanager
def gateway(routes: Routes, service: str, prefix: str = "") -> Iterator[str]:
    """Run the gateway in front of a service; the value is the URL under which its clients know it."""

    client = httpx.Client(timeout=PATIENCE)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            path = self.path.partition("?")[0]
            inner = path.removeprefix(prefix)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if not path.startswith(f"{prefix}/") or routes.found(self.command, inner) is None:
                self.reply(
                    404, {"content-type": "application/json"}, b'{"message":"no Route matched with those values"}'
                )
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            forwarded = {"X-Forwarded-Host": headers.pop("Host"), "X-Forwarded-Proto": "http"}
            forwarded |= {"X-Forwarded-Prefix": prefix} if prefix else {}
            url = service + self.path.removeprefix(prefix)
            response = client.request(self.command, url, content=body, headers={**headers, **forwarded})
            self.reply(response.status_code, response.headers, response.content)

        do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the names of http.server

        def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP_BY_HOP | {"content-encoding"}:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{prefix}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        client.close()
