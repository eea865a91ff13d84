"""With a rate limit, responses say what is left of it (draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

import re

import httpx
from tests.edge.conftest import Start

QUOTES = "/tmf-api/quoteManagement/v4/quote"


def test_every_response_says_how_many_requests_are_left(start: Start) -> None:
    service = start(TMF_SALES_RATE_LIMIT="50")

    response, missing = httpx.get(service.url + QUOTES), httpx.get(f"{service.url}{QUOTES}/unknown")

    for each in (response, missing):
        assert each.headers["ratelimit-policy"] == '"caller";q=50;w=1'
        left = re.fullmatch(r'"caller";r=(\d+);t=[01]', each.headers["ratelimit"])
        assert left is not None
        assert 48 <= int(left[1]) <= 49


def test_a_rejected_request_has_none_left(start: Start) -> None:
    service = start(TMF_SALES_RATE_LIMIT="1")

    answers = [httpx.get(service.url + QUOTES) for _ in range(20)]

    rejected = [answer for answer in answers if answer.status_code == 429]
    assert rejected
    assert all(re.fullmatch(r'"caller";r=0;t=[01]', answer.headers["ratelimit"]) for answer in rejected)


def test_without_a_limit_there_are_no_such_headers(start: Start) -> None:
    assert not {"ratelimit", "ratelimit-policy"} & httpx.get(start().url + QUOTES).headers.keys()
