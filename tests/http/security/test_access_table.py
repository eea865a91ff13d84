"""Every operation of the contracts, crossed with every role, own and foreign resources, current and old versions, and
states: what the service answers is what the policy table says, read here by other means than the service reads it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml
from tests.api import Api, Document, document_of, refusal
from tests.http.conftest import CONTRACTS, QUOTES, SALES, Services
from tests.http.resources import unique_text
from tests.identity import PARTY, Provider, party

from tmf_sales.auth.policy_table import SHIPPED
from tmf_sales.contract.loader import load_contracts

TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(SHIPPED.read_text())
OPERATIONS = sorted({id for api in load_contracts(CONTRACTS) for id in api.operations})
VERBS = ("list", "head", "create", "retrieve", "patch", "delete")
FOREIGN = "0815"
LISTENING = [role for role, rows in TABLE.items() if any("registerListener" in row["may"] for row in rows)]


@dataclass(frozen=True)
class Case:
    """A version of a resource, and who asks for it; `state` is that of the version."""

    role: str
    type: str
    is_own: bool
    is_current: bool
    state: str

    def rows(self, verb: str) -> list[dict[str, Any]]:
        return [row for row in TABLE[self.role] if f"{verb}{self.type}" in row["may"]]

    def seeing(self, verb: str) -> list[dict[str, Any]]:
        """The rows of an operation that let see this version."""
        return [
            row
            for row in self.rows(verb)
            if (self.is_own or "whose" not in row)
            and (self.is_current or row.get("versions") == "all")
            and self.state in row.get("states", [self.state])
        ]


def cases() -> Iterator[Case]:
    for role, is_own, is_current, state in itertools.product(
        TABLE, (True, False), (True, False), ("inProgress", "approved")
    ):
        yield Case(role, "Quote", is_own, is_current, state)
    for role, is_own, state in itertools.product(TABLE, (True, False), ("acknowledged", "inProgress", "pending")):
        yield Case(role, "SalesLead", is_own, True, state)


class World:
    """A running service with authentication on, and resources in it as a case wants them."""

    def __init__(self, services: Services, provider: Provider) -> None:
        service = services.on("memory", **provider.environ)
        self.url = service.url
        self.apis = {"Quote": services.api(service, QUOTES), "SalesLead": services.api(service, SALES)}
        self.paths = {"Quote": "/quote", "SalesLead": "/salesLead"}
        self.provider = provider
        self.admin = provider.headers("admin")

    def asked(self, case: Case) -> tuple[Api, dict[str, str]]:
        return self.apis[case.type], self.provider.headers(case.role)

    def resource(self, case: Case) -> Document:
        """What `case` is about; an old version has one above it."""
        api, path = self.apis[case.type], self.paths[case.type]
        made = document_of(api.post(path, body_of(case), self.admin))
        at = f"{path}/{made['id']}"
        for state in {"pending": ("inProgress", "pending"), "acknowledged": ()}.get(case.state, (case.state,)):
            changed = api.patch(at, {self.state_member(case): state}, self.admin)
            assert changed.status_code == 200, changed.text
        if not case.is_current:
            api.post(path, {**body_of(case), "id": made["id"], "version": "2"}, self.admin)
        return made

    def state_member(self, case: Case) -> str:
        return "state" if case.type == "Quote" else "status"

    def at(self, case: Case, made: Document) -> str:
        return f"{self.paths[case.type]}/{made['id']}{'' if case.is_current else ':(version=1)'}"


def body_of(case: Case) -> Document:
    common = {"relatedParty": party(PARTY if case.is_own else FOREIGN), "note": [{"id": "1", "text": "internal"}]}
    if case.type == "SalesLead":
        return {"name": unique_text(), **common}
    return {"quoteItem": [{"id": "1", "action": "add", "note": [{"id": "1", "text": "internal"}]}], **common}


@pytest.fixture(scope="module")
def world(services: Services, provider: Provider) -> World:
    return World(services, provider)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_a_row(operation: str) -> None:
    assert any(operation in row["may"] for rows in TABLE.values() for row in rows)


@pytest.mark.parametrize("operation", [id for id in OPERATIONS if "Listener" not in id and "Event" not in id])
def test_every_operation_on_a_resource_is_crossed_below(operation: str) -> None:
    assert operation.removesuffix("Quote").removesuffix("SalesLead") in VERBS


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_what_is_read_and_found_is_what_the_table_lets_see(world: World, case: Case) -> None:
    made = world.resource(case)
    api, headers = world.asked(case)
    answer = api.get(world.at(case, made), headers)

    if not case.rows("retrieve"):
        refusal(answer, 403, "forbidden")
        refusal(api.get(world.paths[case.type], headers), 403, "forbidden")
        assert api.head(world.paths[case.type], headers).status_code == 403
        return
    seen = bool(case.seeing("retrieve"))
    assert answer.status_code == (200 if seen else 404), answer.text
    for name in (name for row in case.seeing("retrieve") for name in row.get("hides", [])):
        assert f'"{name}"' not in answer.text
    found = api.get(world.paths[case.type], headers, id=made["id"])
    wanted = None if case.type == "SalesLead" else made["version"]
    assert seen == any(each.get("version") == wanted for each in found.json())
    assert found.headers["x-total-count"] == str(len(found.json()))
    counted = api.head(world.paths[case.type], headers, id=made["id"])
    assert counted.headers["x-total-count"] == found.headers["x-total-count"]


def patches(case: Case) -> list[Document]:
    """Patches that the contract allows in the state of the case."""
    if case.type == "Quote" and case.state == "approved":
        return [{"state": "accepted"}, {"state": "rejected"}]
    if case.type == "Quote":
        return [{"description": "new"}, {"state": "pending"}, {"state": "cancelled"}]
    next_states = {
        "acknowledged": ["inProgress", "cancelled"],
        "inProgress": ["pending", "accepted", "rejected"],
        "pending": ["inProgress", "rejected"],
    }
    return [{"description": "new"}, *({"status": state} for state in next_states[case.state])]


def may(rows: list[dict[str, Any]], case: Case, patch: Document) -> bool:
    ((member, value),) = patch.items()
    changing = [row for row in rows if member in row.get("changes", [member])]
    if member not in ("state", "status"):
        return bool(changing)
    wanted = f"{case.state} > {value}"
    return any(wanted in row.get("transitions", [wanted]) for row in changing)


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_what_is_changed_is_what_the_table_lets_change(world: World, case: Case) -> None:
    api, headers = world.asked(case)
    for patch in patches(case) if case.rows("patch") else [{"description": "new"}]:
        made = world.resource(case)
        before = api.get(world.at(case, made), world.admin).json()
        answer = api.patch(world.at(case, made), patch, headers)
        if not case.rows("patch"):
            refusal(answer, 403, "forbidden")
        elif not case.seeing("patch"):
            refusal(answer, 404, "notFound")
        elif not may(case.seeing("patch"), case, patch):
            refusal(answer, 403, "forbidden")
        else:
            assert answer.status_code == 200, answer.text
            continue
        assert api.get(world.at(case, made), world.admin).json() == before


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_what_is_removed_is_what_the_table_lets_remove(world: World, case: Case) -> None:
    made = world.resource(case)
    api, headers = world.asked(case)

    answer = api.delete(world.at(case, made), headers)

    assert answer.status_code == (403 if not case.rows("delete") else 204 if case.seeing("delete") else 404)
    assert (api.get(world.at(case, made), world.admin).status_code == 404) is (answer.status_code == 204)


@pytest.mark.parametrize("role", list(TABLE))
@pytest.mark.parametrize("status", ["acknowledged", "inProgress", "accepted"])
def test_a_lead_starts_where_the_table_lets_it(world: World, role: str, status: str) -> None:
    case = Case(role, "SalesLead", True, True, status)
    api, headers = world.asked(case)

    answer = api.post("/salesLead", {"name": "Fair", "status": status}, headers)

    rows = [row for row in case.rows("create") if status in row.get("starts_in", [status])]
    assert answer.status_code == (201 if rows else 403), answer.text


@pytest.mark.parametrize("role", list(TABLE))
def test_a_quote_is_created_by_whom_the_table_lets(world: World, role: str) -> None:
    case = Case(role, "Quote", True, True, "inProgress")
    api, headers = world.asked(case)

    assert api.post("/quote", body_of(case), headers).status_code == (201 if case.rows("create") else 403)


@pytest.mark.parametrize("role", LISTENING)
@pytest.mark.parametrize("is_own", [True, False])
def test_a_listener_is_its_owners_and_the_admins(world: World, role: str, is_own: bool) -> None:
    api, headers = world.apis["Quote"], world.provider.headers(role)
    owner = headers if is_own else world.provider.headers("reader", sub="somebody else")
    listener = document_of(api.post("/hub", {"callback": f"http://{unique_text()}.example.com"}, owner))
    at = f"/hub/{listener['id']}"
    sees = is_own or any("retrieveListener" in row["may"] and "whose" not in row for row in TABLE[role])

    assert ({**listener, "state": "active", "delivery": {"waiting": 0}} in api.get("/hub", headers).json()) is sees
    assert api.get(at, headers).status_code == (200 if sees else 404)
    assert api.delete(at, headers).status_code == (204 if sees else 404)


@pytest.mark.parametrize("role", list(TABLE))
def test_who_changed_what_is_read_by_whom_the_table_lets(world: World, role: str) -> None:
    made = world.resource(Case("admin", "Quote", True, True, "approved"))
    url = f"{world.url}/audit"

    answer = httpx.get(url, params={"kind": "quote", "id": made["id"]}, headers=world.provider.headers(role))

    assert answer.status_code == (200 if any("readAudit" in row["may"] for row in TABLE[role]) else 403)
