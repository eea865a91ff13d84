"""Who changed what, as it is read: over HTTP, and on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import run as run_process

import httpx
import pytest
from tests.api import Api, document_of, refusal
from tests.http.conftest import QUOTES, Services
from tests.http.resources import unique_text
from tests.identity import Provider
from tests.service import start_service


@pytest.fixture(scope="module")
def guarded(services: Services, store: str, provider: Provider) -> Api:
    return services.api(services.on(store, **provider.environ), QUOTES)


def audit(api: Api, headers: dict[str, str], method: str = "GET", **params: str) -> httpx.Response:
    return httpx.request(method, f"{api.url}/audit", params=params, headers=headers)


def trail(api: Api, headers: dict[str, str], kind: str, id: str, length: int) -> list[dict[str, object]]:
    """The entries of a resource, once they are all there: where events wait in documents they come a moment later."""
    entries: list[dict[str, object]] = []
    for _ in range(10_000):
        entries = audit(api, headers, kind=kind, id=id).json()
        if len(entries) >= length:
            break
    return entries


def test_changes_are_recorded_with_who_made_them(guarded: Api, provider: Provider) -> None:
    admin, sales = provider.headers("admin"), provider.headers("sales", sub="ann")
    made = document_of(
        guarded.post("/quote", {"quoteItem": [{"action": "add"}]}, {**sales, "X-Correlation-ID": "order 7"})
    )
    guarded.patch(f"/quote/{made['id']}", {"description": "a secret"}, sales)
    guarded.delete(f"/quote/{made['id']}", admin)

    recorded = trail(guarded, admin, "quote", made["id"], 3)

    assert [(each["operation"], each["subject"]) for each in recorded] == [
        ("createQuote", "ann"),
        ("patchQuote", "ann"),
        ("deleteQuote", "somebody-admin"),
    ]
    assert recorded[0]["correlationId"] == "order 7"
    assert recorded[1]["changed"] == ["/description"]
    assert "secret" not in str(recorded)


def test_changes_of_listeners_are_recorded_too(guarded: Api, provider: Provider) -> None:
    reader, admin = provider.headers("reader"), provider.headers("admin")
    listener = document_of(guarded.post("/hub", {"callback": f"http://{unique_text()}.example.com"}, reader))
    guarded.delete(f"/hub/{listener['id']}", reader)

    recorded = trail(guarded, admin, "listener", listener["id"], 2)

    assert [each["operation"] for each in recorded] == ["registerListener", "unregisterListener"]


def test_only_the_admin_reads_it(guarded: Api, provider: Provider) -> None:
    asked = {"kind": "quote", "id": "1"}

    refusal(audit(guarded, {}, **asked), 401, "unauthenticated")
    refusal(audit(guarded, {"Authorization": "Bearer x"}, **asked), 401, "unauthenticated")
    refusal(audit(guarded, {"X-API-Key": "x"}, **asked), 401, "unauthenticated")
    refusal(audit(guarded, provider.headers("sales"), **asked), 403, "forbidden")
    answer = audit(guarded, provider.headers("admin"), **asked)
    assert (answer.json(), answer.headers["cache-control"]) == ([], "no-store")
    assert audit(guarded, provider.headers("admin"), "HEAD", **asked).content == b""


@pytest.mark.parametrize("asked", [{}, {"kind": "quote"}, {"id": "1"}, {"kind": "idempotency", "id": "1"}])
def test_kind_and_id_must_be_given(guarded: Api, provider: Provider, asked: dict[str, str]) -> None:
    refusal(audit(guarded, provider.headers("admin"), **asked), 400, "invalidParameter")


def test_it_is_only_read(guarded: Api, provider: Provider) -> None:
    answer = audit(guarded, provider.headers("admin"), "DELETE", kind="quote", id="1")

    refusal(answer, 405, "methodNotAllowed")
    assert answer.headers["allow"] == "GET, HEAD"


def test_without_authentication_it_may_be_turned_on(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/store.sqlite"
    service = start_service(tmp_path / "log", "--store", store, environ={"TMF_SALES_AUDIT": "on"})
    try:
        made = httpx.post(f"{service.url}{QUOTES}/quote", json={"quoteItem": [{"action": "add"}]}).json()
        (entry,) = httpx.get(f"{service.url}/audit", params={"kind": "quote", "id": made["id"]}).json()
    finally:
        service.stop()
    assert entry["subject"] == "anonymous"

    called = [sys.executable, "-m", "tmf_sales", "audit", "--store", store, "--id", made["id"]]
    shown = run_process(called, capture_output=True, text=True, check=True).stdout
    assert "createQuote  anonymous  admin  revision 1  version 1  -" in shown
    as_json = run_process([*called, "--json"], capture_output=True, text=True, check=True).stdout
    assert json.loads(as_json) == entry


def test_a_token_needs_the_admin_scope_of_the_kinds_api(guarded: Api, provider: Provider) -> None:
    def status(kind: str, scope: str) -> int:
        return audit(guarded, provider.headers("admin", scope=scope), kind=kind, id="1").status_code

    assert status("quote", "tmf648:admin") == 200
    assert status("quote", "tmf648:read tmf648:write tmf699:admin") == 403
    assert status("salesLead", "tmf699:admin") == 200
    assert status("listener", "tmf699:admin") == 403
    assert status("listener", "tmf699:admin tmf648:admin") == 200


def test_answers_to_credentials_are_not_cached_and_no_answer_is_sniffed(guarded: Api, provider: Provider) -> None:
    reader = provider.headers("reader")
    lead = guarded.get("/quote", reader)
    rejected = guarded.get("/quote")

    assert lead.headers["cache-control"] == "private, no-store"
    assert "cache-control" not in rejected.headers
    for answer in (lead, rejected, guarded.get("/quote?x=", reader), audit(guarded, reader, kind="quote", id="1")):
        assert answer.headers["x-content-type-options"] == "nosniff"
