"""A test event is posted at once, signed like every other event, and few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from tmf_sales.errors import TooManyRequests
from tmf_sales.events.delivery import webhook_check
from tmf_sales.events.delivery.webhook_check import WebhookChecks
from tmf_sales.events.signing import Secret, written_secret
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard
from tmf_sales.events.subscription import KeptSecret, Subscription

OWN, SERVICE = (written_secret(bytes([number]) * 32) for number in (1, 2))


class Receiver:
    """Keeps the requests that it gets; answers 204 when `answers` is set."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.came = asyncio.Event()
        self.answers = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        self.requests.append(head + await reader.readexactly(int(length.partition(b":")[2])))
        self.came.set()
        await self.answers.wait()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    def posted(self) -> tuple[dict[str, str], bytes]:
        head, _, body = self.requests[-1].partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}, body


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/events"
    try:
        yield made
    finally:
        made.answers.set()
        server.close()
        await server.wait_closed()


def checks(**settings: float) -> WebhookChecks:
    return WebhookChecks(SsrfGuard(LOOPBACK), [Secret(SERVICE)], lambda: datetime.now(UTC), lambda: "t1", **settings)


def subscription(url: str, id: str = "s", *secrets: str) -> Subscription:
    return Subscription(id, "tickets", url, None, tuple(map(KeptSecret, secrets)))


@pytest.mark.parametrize(("secrets", "signing"), [((), SERVICE), ((OWN,), OWN)])
async def test_a_test_event_is_signed_as_other_events_are(secrets: tuple[str, ...], signing: str) -> None:
    async with receiver() as box, asyncio.timeout(30):
        box.answers.set()
        shown = await checks().post(subscription(box.url, "s", *secrets), "c1")

    headers, body = box.posted()
    event = Verifier(signing).verify(body, headers)
    assert (event["eventId"], event["eventType"], event["correlationId"]) == ("t1", "ListenerTestEvent", "c1")
    assert shown["succeeded"]
    assert shown["response"] == {"status": 204, "body": ""}
    assert shown["request"]["body"] == event
    assert "webhook-signature" not in shown["request"]["headers"]


async def test_a_receiver_that_does_not_answer_is_given_up() -> None:
    async with receiver() as box, asyncio.timeout(30):
        shown = await checks(timeout=0.05).post(subscription(box.url), "c1")

    assert (shown["succeeded"], shown["error"]) == (False, "no answer in time")


async def test_a_subscription_is_tested_once_at_a_time_and_few_are_tested_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook_check, "AT_ONCE", 2)
    tests = checks()
    async with receiver() as box, asyncio.timeout(30):
        first = asyncio.create_task(tests.post(subscription(box.url, "1"), "c"))
        await box.came.wait()
        with pytest.raises(TooManyRequests):
            await tests.post(subscription(box.url, "1"), "c")
        box.came.clear()
        second = asyncio.create_task(tests.post(subscription(box.url, "2"), "c"))
        await box.came.wait()
        with pytest.raises(TooManyRequests):
            await tests.post(subscription(box.url, "3"), "c")
        box.answers.set()
        await asyncio.gather(first, second)

        assert (await tests.post(subscription(box.url, "1"), "c"))["succeeded"]
