"""`tmf-sales listen`: a receiver to try subscriptions with; prints each event on a line and verifies its signature.

It accepts requests from anywhere, so it escapes everything that it prints. An invalid signature gets 401.
"""

from __future__ import annotations

import contextlib
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click
import orjson

from tmf_sales.cli.context import on_one_line
from tmf_sales.cli.options import Refused
from tmf_sales.events.signing import InvalidSecret, Secret, read_secrets, verifies

BODY_LIMIT = 16 * 1024 * 1024
SHOWN = 200  # characters of a resource without its id


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option(
    "--secret",
    envvar="TMF_SALES_WEBHOOK_SECRET",
    metavar="whsec_...",
    help="Key to verify signatures [TMF_SALES_WEBHOOK_SECRET].",
)
@click.option(
    "--answer", default=204, show_default=True, type=click.IntRange(200, 599), help="Status of every response."
)
def listen(host: str, port: int, secret: str | None, answer: int) -> None:
    """Receive webhooks and print a line for each event, until Ctrl-C."""
    try:
        secrets = read_secrets(secret)
        server = Receiver((host, port), secrets, answer)
    except InvalidSecret as error:
        raise Refused(f"--secret is not valid (its value is not shown); {error}") from None
    except OSError as error:
        raise Refused(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    shown_host = f"[{host}]" if ":" in host else host
    click.echo(f"tmf-sales listens at http://{shown_host}:{server.server_address[1]}/")
    with contextlib.suppress(KeyboardInterrupt), server:
        server.serve_forever()


class Receiver(ThreadingHTTPServer):
    """An HTTP server that prints the events it receives."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], secrets: tuple[Secret, ...], answer: int) -> None:
        self.secrets = secrets
        self.answer = answer
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Reception)

    def verdict(self, headers: dict[str, str], body: bytes) -> str:
        if not self.secrets:
            return "signature not checked"
        return "signature good" if verifies(headers, body, self.secrets, time.time()) else "SIGNATURE BAD"


class Reception(BaseHTTPRequestHandler):
    """Handles one request."""

    protocol_version = "HTTP/1.1"
    server: Receiver
    timeout = 60

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > BODY_LIMIT:
            self.close_connection = True
            self.send_error(413 if length.isdecimal() else 411)
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        verdict = self.server.verdict(headers, body)
        click.echo(line_of(body, headers.get("resource-revision"), verdict))
        self.send_response(401 if verdict.isupper() else self.server.answer)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Suppress the access log: only the line about the event is printed."""


def line_of(body: bytes, revision: str | None, verdict: str) -> str:
    try:
        facts = facts_of(orjson.loads(body))
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        facts = [f"not an event: {body[:80]!r}"]
    return "  ".join([*map(on_one_line, facts), f"revision {on_one_line(revision)}", verdict])


def facts_of(event: Any) -> list[object]:
    """The facts on an event's line; the `fields` of a subscription may omit all but the first and the last."""
    facts = [event.get("eventTime"), event.get("eventType")]
    for name, resource in (event.get("event") or {}).items():
        shown = resource["id"] if "id" in resource else orjson.dumps(resource).decode()[:SHOWN]
        facts.append(f"{name} {shown}")
    return [*facts, event.get("eventId")]
