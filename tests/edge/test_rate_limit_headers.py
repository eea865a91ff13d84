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
        assert 0 < int(left[1]) < 50


def test_a_rejected_request_has_none_left(start: Start) -> None:
    service = start(TMF_SALES_RATE_LIMIT="1")

    with httpx.Client(base_url=service.url) as client:
        answers = (client.get(QUOTES) for _ in range(500))
        rejected = next(answer for answer in answers if answer.status_code == 429)

    assert re.fullmatch(r'"caller";r=0;t=[01]', rejected.headers["ratelimit"])


def test_without_a_limit_there_are_no_such_headers(start: Start) -> None:
    assert not {"ratelimit", "ratelimit-policy"} & httpx.get(start().url + QUOTES).headers.keys()
