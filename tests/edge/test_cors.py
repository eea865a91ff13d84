"""Web pages of the configured origins may call the service; without the setting nothing changes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest
from tests.edge.conftest import Start

from tmf_sales.configuration.loading import load_settings
from tmf_sales.configuration.names import InvalidSettings

LEADS = "/tmf-api/sales/v4/salesLead"
APP = "https://app.example.com"
CORS = "TMF_SALES_CORS_ORIGINS"
ORIGINS = {CORS: f"{APP},http://localhost:5173"}
PREFLIGHT = {
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization,content-type,if-match,x-unheard-of",
}
WANTED = {
    "etag",
    "location",
    "link",
    "x-total-count",
    "x-total-count-at-least",
    "x-result-count",
    "retry-after",
    "accept-patch",
    "content-range",
}


def preflight(url: str, origin: str, **headers: str) -> httpx.Response:
    return httpx.options(url, headers={"Origin": origin, **PREFLIGHT, **headers})


@pytest.mark.parametrize("origin", ORIGINS[CORS].split(","))
def test_a_preflight_of_a_configured_origin_is_allowed_and_can_be_cached(start: Start, origin: str) -> None:
    answer = preflight(start(**ORIGINS).url + LEADS, origin)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == origin
    assert set(answer.headers["access-control-allow-methods"].split(", ")) >= {"GET", "POST", "PATCH", "DELETE"}
    assert answer.headers["access-control-allow-headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert int(answer.headers["access-control-max-age"]) >= 600
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "method"),
    [("https://evil.example", "GET"), ("https://app.example.com.evil.example", "GET"), ("null", "GET"), (APP, "TRACE")],
)
def test_any_other_preflight_is_a_tmf_error_without_permission(start: Start, origin: str, method: str) -> None:
    answer = preflight(start(**ORIGINS).url + LEADS, origin, **{"Access-Control-Request-Method": method})

    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"
    assert CORS in answer.json()["message"]
    assert (answer.headers.get("access-control-allow-origin") == origin) == (origin == APP)


def test_a_rejected_preflight_is_a_problem_for_clients_that_prefer_it(start: Start) -> None:
    problem = "application/problem+json"

    answer = preflight(start(**ORIGINS).url + LEADS, "https://evil.example", Accept=problem)

    assert (answer.status_code, answer.headers["content-type"]) == (403, problem)
    assert (answer.json()["status"], answer.json()["code"]) == (403, "forbidden")
    assert CORS in answer.json()["detail"]


def test_a_response_shows_its_headers_to_the_page(start: Start) -> None:
    answer = httpx.get(start(**ORIGINS).url + LEADS, headers={"Origin": APP})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == APP
    assert set(answer.headers["access-control-expose-headers"].lower().split(", ")) >= WANTED
    assert "Origin" in answer.headers["vary"]


def test_an_error_is_readable_for_the_page(start: Start) -> None:
    answer = httpx.post(start(**ORIGINS).url + LEADS, content=b"{", headers={"Origin": APP})

    assert answer.status_code == 415
    assert answer.headers["access-control-allow-origin"] == APP


def test_a_page_of_another_origin_cannot_read_the_response(start: Start) -> None:
    answer = httpx.get(start(**ORIGINS).url + LEADS, headers={"Origin": "https://evil.example"})

    assert "access-control-allow-origin" not in answer.headers


def test_every_origin_can_be_allowed(start: Start) -> None:
    url = start(**{CORS: "*"}).url + LEADS

    assert preflight(url, "https://anything.example").headers["access-control-allow-origin"] == "*"
    assert httpx.get(url, headers={"Origin": "null"}).headers["access-control-allow-origin"] == "*"


def test_without_the_setting_no_response_has_a_cors_header(start: Start) -> None:
    url = start().url + LEADS

    for answer in (preflight(url, APP), httpx.get(url, headers={"Origin": APP})):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "Origin" not in answer.headers.get("vary", "")


def test_a_preflight_needs_no_credential_and_the_request_after_it_does(start: Start, tmp_path: Path) -> None:
    keys = tmp_path / "keys.yaml"
    keys.write_text(f"- name: app\n  sha256: {hashlib.sha256(b'secret').hexdigest()}\n  roles: [admin]\n")
    url = start(**ORIGINS, TMF_SALES_API_KEYS=str(keys)).url + LEADS

    assert preflight(url, APP).status_code == 204
    rejected = httpx.get(url, headers={"Origin": APP})
    assert rejected.status_code == 401
    assert rejected.headers["access-control-allow-origin"] == APP
    assert httpx.get(url, headers={"Origin": APP, "X-API-Key": "secret"}).status_code == 200


@pytest.mark.parametrize(
    "text",
    ["app.example.com", "https://a.example/", "https://a.example/x", "https://u:p@a.example", "https://a.example:443",
     "http://a.example:80", "*,https://a.example", "https://*.example", "ftp://a.example", "null", "https://a.example:x"],
)  # fmt: skip
def test_what_is_no_origin_stops_the_start(text: str) -> None:
    with pytest.raises(InvalidSettings, match=f"{CORS} is .*; expected origins such as"):
        load_settings({CORS: text})


def test_an_origin_is_compared_in_lower_case_as_browsers_send_it() -> None:
    assert load_settings({CORS: "HTTPS://App.Example:8443"}).cors_origins == ("https://app.example:8443",)
