"""`/audit` within the bounds that hold for every operation: so many at once, so long, so many of one caller."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tmf_sales.access import Principal
from tmf_sales.app.composition import compose
from tmf_sales.app.gate import gate
from tmf_sales.auth.authentication import Authenticator, page_admission
from tmf_sales.auth.policy import READ_AUDIT, Policy
from tmf_sales.auth.rate_limit import RateLimit
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.errors import Forbidden, TooManyRequests, Unauthenticated
from tmf_sales.http.middleware import Receive, Scope
from tmf_sales.http.responses import Send
from tmf_sales.storage.events import StoredEvent

ASKED = "/audit?kind=quote&id=1"


class Log:
    """A log of events that answers on command."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.asked = asyncio.Event()

    async def of_type(self, kind: str, resource: str, type: str, limit: int) -> list[StoredEvent]:
        self.asked.set()
        await self.answers.wait()
        text = b'{"eventId":"e1","eventTime":"2026-01-01T00:00:00.000Z","subject":"ann","roles":[],"operation":"x"}'
        return [StoredEvent("e1", kind, resource, 1, "1", 0.0, text)]


def served(log: Log, **settings: Any) -> httpx.AsyncClient:
    async def nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError

    service = compose(Settings(store="memory:", **settings))
    service.store.events = log  # type: ignore[assignment]
    return httpx.AsyncClient(transport=httpx.ASGITransport(gate(nowhere, service)), base_url="http://127.0.0.1")


@pytest.fixture
def log() -> Log:
    return Log()


async def test_the_trail_counts_among_the_requests_under_way_and_the_probes_do_not(log: Log) -> None:
    async with served(log, max_concurrent=1) as client, asyncio.timeout(20):
        first = asyncio.create_task(client.get(ASKED))
        await log.asked.wait()

        assert (await client.get(ASKED)).status_code == 503
        assert (await client.get("/live")).status_code == 200
        assert (await client.get("/ready")).status_code == 200

        log.answers.set()
        assert (await first).json()[0]["subject"] == "ann"
        assert (await client.get(ASKED)).status_code == 200


async def test_the_trail_is_answered_within_the_deadline(log: Log) -> None:
    async with served(log, request_deadline=0.05) as client, asyncio.timeout(20):
        answer = await client.get(ASKED)

    assert answer.status_code == 503
    assert "0.05 seconds" in answer.json()["message"]


async def test_the_trail_counts_for_the_rate_of_a_caller(log: Log) -> None:
    log.answers.set()
    async with served(log, rate_limit=1) as client:
        answers = [await client.get(ASKED) for _ in range(20)]

    refused = [answer for answer in answers if answer.status_code != 200]
    assert refused
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in refused} == {(429, "1")}


@pytest.mark.parametrize(("role", "error"), [("admin", None), ("reader", Forbidden)])
async def test_each_caller_has_a_rate_of_its_own(role: str, error: type[Exception] | None) -> None:
    counted: list[str] = []

    class Counting(RateLimit):
        async def reject_too_many(self, subject: str, scope: Any) -> None:
            counted.append(subject)
            if len(counted) > 1:
                raise TooManyRequests("too many")

    class Known(Authenticator):
        async def principal_of(self, scope: Any, required: Sequence[str] = ()) -> Principal:
            return Principal("ann", frozenset({role}))

    policy = Policy.for_apis(None, load_contracts(contracts_folder()))
    may_read = page_admission(READ_AUDIT, Known(None, None), policy, Counting(1))
    if error is None:
        assert (await may_read({}, ())).subject == "ann"
    else:
        with pytest.raises(error):
            await may_read({}, ())
    with pytest.raises(TooManyRequests):
        await may_read({}, ())
    assert counted == ["ann", "ann"]


async def test_nobody_is_counted_who_is_not_known() -> None:
    policy = Policy.for_apis(None, load_contracts(contracts_folder()))

    with pytest.raises(Unauthenticated):
        await page_admission(READ_AUDIT, Authenticator(None, None), policy, None)({"headers": []}, ())
