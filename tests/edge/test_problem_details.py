"""Errors as application/problem+json (RFC 9457) for clients that prefer it, with the facts of the TMF Error."""

from __future__ import annotations

import httpx
import pytest
from tests.edge.conftest import Start

from tmf_sales.http.negotiation import prefers_problem

QUOTES = "/tmf-api/quoteManagement/v4/quote"
PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{QUOTES}/unknown", None, 404),
        ("GET", f"{QUOTES}?limit=x", None, 400),
        ("POST", QUOTES, {}, 400),
        ("PUT", QUOTES, None, 405),
        ("GET", "/nowhere", None, 404),
    ],
)
def test_a_problem_has_the_facts_of_the_error(start: Start, method: str, path: str, body: object, status: int) -> None:
    url = start().url + path

    error = httpx.request(method, url, json=body).json()
    response = httpx.request(method, url, json=body, headers={"Accept": PROBLEM})

    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM)
    assert response.json() == {
        "type": "about:blank",
        "title": httpx.codes.get_reason_phrase(status),
        "status": status,
        "detail": error["message"],
        "code": error["code"],
        "reason": error["reason"],
    }


@pytest.mark.parametrize(
    ("accept", "is_problem"),
    [
        (PROBLEM, True),
        (f"{PROBLEM}, */*", True),
        (f"application/json;q=0.9, {PROBLEM}", True),
        ("Application/Problem+JSON", True),
        (f"application/json, {PROBLEM}", False),
        (f"{PROBLEM};q=0, */*", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_a_problem_is_sent_when_accept_prefers_it_to_json(accept: str, is_problem: bool) -> None:
    assert prefers_problem([(b"accept", accept.encode())]) is is_problem


def test_naming_only_problem_details_does_not_exclude_a_success(start: Start) -> None:
    response = httpx.get(start().url + QUOTES, headers={"Accept": PROBLEM})

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")


def test_excluding_json_beside_problem_details_is_not_acceptable(start: Start) -> None:
    response = httpx.get(start().url + QUOTES, headers={"Accept": f"{PROBLEM}, application/json;q=0"})

    assert (response.status_code, response.headers["content-type"]) == (406, PROBLEM)


def test_the_contract_declares_problem_details_for_each_error(start: Start) -> None:
    document = httpx.get(f"{start().url}/tmf-api/quoteManagement/v4/openapi.json").json()

    bodies = [response["content"] for response in document["components"]["responses"].values() if "content" in response]
    errors = [body for body in bodies if body["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}]
    assert len(errors) == 15
    assert all(body[PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"} for body in errors)
