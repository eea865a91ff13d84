"""A creation that a client sends again with its Idempotency-Key is made once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.api import Api, Document, refusal
from tests.http.resources import Resource, unique_text

Body = Callable[..., Document]


@pytest.fixture
def mark() -> str:
    return unique_text()


@pytest.fixture
def body(resource: Resource, mark: str) -> Body:
    """A creation that a filter finds again."""

    def body(**members: Any) -> Document:
        return resource.body(**{resource.text: mark, **members})

    return body


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": unique_text()}


def count(api: Api, resource: Resource, mark: str) -> int:
    return int(api.head(resource.collection, **{resource.text: mark}).headers["x-total-count"])


def test_the_same_request_again_has_the_same_answer(api: Api, resource: Resource, body: Body, mark: str) -> None:
    headers = keyed()

    first, second = (api.post(resource.collection, body(), headers) for _ in range(2))

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert first.headers["etag"] == second.headers["etag"]
    assert count(api, resource, mark) == 1


@pytest.mark.parametrize("headers", [{}, keyed()], ids=["without a key", "with a key"])
def test_a_creation_whose_query_is_refused_is_not_made(
    api: Api, resource: Resource, body: Body, mark: str, headers: dict[str, str]
) -> None:
    for _ in range(2):
        refusal(api.post(f"{resource.collection}?filter=[[", body(), headers), 400, "invalidFilter")

    assert count(api, resource, mark) == 0


def test_the_answer_stays_what_it_was(api: Api, resource: Resource, body: Body) -> None:
    headers = keyed()
    first = api.post(resource.collection, body(), headers)
    api.changed(resource.at(first.json()), {resource.second_text: "changed since"})

    assert api.post(resource.collection, body(), headers).json() == first.json()


def test_another_body_with_the_same_key_is_a_conflict(api: Api, resource: Resource, body: Body, mark: str) -> None:
    headers = keyed()
    api.post(resource.collection, body(), headers)

    refusal(api.post(resource.collection, body(colour="blue"), headers), 409, "idempotencyConflict")
    assert count(api, resource, mark) == 1


def test_another_query_with_the_same_key_is_a_conflict_that_says_so(
    api: Api, resource: Resource, body: Body, mark: str
) -> None:
    headers = keyed()
    api.post(resource.collection, body(), headers)

    message = refusal(api.post(f"{resource.collection}?fields=none", body(), headers), 409, "idempotencyConflict")

    assert message == "Idempotency-Key: it came with another request before; expected the same body and query"
    assert count(api, resource, mark) == 1


def test_other_keys_and_none_make_other_resources(api: Api, resource: Resource, body: Body, mark: str) -> None:
    for headers in (keyed(), keyed(), {}, {}):
        api.post(resource.collection, body(), headers)

    assert count(api, resource, mark) == 4


def test_a_request_that_was_refused_does_not_take_the_key(api: Api, resource: Resource, body: Body) -> None:
    headers = keyed()
    period = {"startDateTime": "2020-01-02T00:00:00Z", "endDateTime": "2020-01-01T00:00:00Z"}
    refusal(api.post(resource.collection, body(validFor=period), headers), 400, "invalidBody")

    assert api.post(resource.collection, body(), headers).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_bounds(front: Api, resource: Resource, body: Body, key: str) -> None:
    answer = front.post(resource.collection, body(), {"Idempotency-Key": key})

    assert refusal(answer, 400, "invalidParameter").startswith("Idempotency-Key: ")


async def test_many_tries_at_once_make_one_resource(api: Api, resource: Resource, body: Body, mark: str) -> None:
    headers, sent = keyed(), body()

    async with httpx.AsyncClient(timeout=60) as client:
        url = f"{api.root}{resource.collection}"
        answers = await asyncio.gather(*(client.post(url, json=sent, headers=headers) for _ in range(8)))

    # While the first still runs, others are rejected; later ones get its answer.
    assert Counter(answer.status_code for answer in answers).keys() <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert count(api, resource, mark) == 1
