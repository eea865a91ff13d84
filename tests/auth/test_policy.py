"""The policy table: what it grants, and what is refused at start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.contract import small_contract

from tmf_sales.access import FULL_ACCESS, Principal
from tmf_sales.auth.authentication import require_credentials
from tmf_sales.auth.policy import Policy
from tmf_sales.auth.policy_table import SHIPPED, BadPolicy, Table, read_row
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import Contract, load_contracts
from tmf_sales.errors import Forbidden

BASE_PATH = "/tmf-api/ordering/v4"
APIS = load_contracts(contracts_folder())


def refusal(folder: Path, table: str) -> str:
    path = folder / "policy.yaml"
    path.write_text(table)
    with pytest.raises(BadPolicy) as refused:
        Policy.for_apis(path, APIS).check()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def row(columns: str) -> str:
    return f"sales: [{{may: [patchQuote], {columns}}}]"


def test_the_shipped_table_is_good_and_has_the_roles() -> None:
    policy = Policy.for_apis(None, APIS)

    policy.check()
    assert policy.roles() == ["reader", "sales", "customer", "marketing", "salesTeam", "admin", "monitor"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[", "policy.yaml"),
        ("[]", "a list of rows for each role"),
        ("sales: x", "a list of rows for each role"),
        ("sales: [x]", "role sales, row 1: expected columns"),
        ("sales: [{may: []}]", "expected columns"),
        ("sales: [{may: patchQuote}]", "may: expected a list of names"),
        (row("may not: []"), "no column 'may not'"),
        (row("versions: some"), "expected current or all"),
        (row("states: [1]"), "states: expected a list of names"),
        (row("whose: x"), "whose: expected one member"),
        (row("whose: {a: party, b: party}"), "whose: expected one member"),
        (row("whose: {a: nobody}"), "whose: expected a member and party or subject"),
        (row("whose: {$where: party}"), "whose: expected a member and party or subject"),
        (row("transitions: [a]"), "expected STATE > STATE"),
        (row("transitions: ['a > ']"), "expected STATE > STATE"),
        (row("states: [lost]"), "there is no state 'lost'"),
        (row("starts_in: [lost]"), "there is no state 'lost'"),
        (row("transitions: [approved > lost]"), "there is no state 'lost'"),
        (row("changes: [colour]"), "changes 'colour'"),
        (row("hides: [quoteItem]"), "hides quoteItem, which every answer must have"),
        ("sales: [{may: [createOrder]}]", "no contract has the operation 'createOrder'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, table: str, said: str) -> None:
    assert said in refusal(tmp_path, table)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy):
        Policy.for_apis(tmp_path / "none.yaml", APIS)


def test_an_operation_without_a_row_is_open_to_admin_alone(tmp_path: Path) -> None:
    table = tmp_path / "policy.yaml"
    table.write_text(SHIPPED.read_text().replace("headQuote, ", ""))
    policy = Policy.for_apis(table, APIS)
    policy.check()

    assert policy.missing_rows() == {"tmf648": ["headQuote"]}
    with pytest.raises(Forbidden, match="headQuote"):
        policy.access(Principal("somebody", frozenset({"sales"})), "headQuote")
    assert policy.access(Principal("somebody", frozenset({"admin"})), "headQuote") == FULL_ACCESS


def test_an_api_without_rows_is_open_to_admin_alone_with_its_hub(tmp_path: Path) -> None:
    apis = [*APIS, small_contract.contract(tmp_path, with_hub())]
    policy = Policy.for_apis(None, apis)
    reader, admin = (Principal("somebody", frozenset({role})) for role in ("reader", "admin"))

    assert policy.missing_rows() == {
        "tmf999": ["createOrder", "listListener", "listOrder", "patchOrder", "retrieveOrder"]
    }
    for operation in policy.missing_rows()["tmf999"]:
        with pytest.raises(Forbidden):
            policy.access(reader, operation, BASE_PATH)
        assert policy.access(admin, operation, BASE_PATH) == FULL_ACCESS
    assert policy.access(reader, "listListener", APIS[0].base_path).grants
    assert not policy.seen_by(reader)("tmf999/order").grants
    assert policy.seen_by(admin)("tmf999/order") == FULL_ACCESS


def test_rows_may_stand_beside_the_contract_of_their_api(tmp_path: Path) -> None:
    """They are about this API alone, even where another API has an operation of the same name."""
    document = with_hub()
    own, other = tmp_path / "own", tmp_path / "other"
    for folder, path in ((own, BASE_PATH), (other, "/tmf-api/ordering/v5")):
        folder.mkdir()
        document["servers"] = [{"url": path}]
        small_contract.contract(folder, document)
    (own / "tmf999-order-v4.policy.yaml").write_text("clerk: [{may: [listOrder, createOrder, patchOrder]}]")
    policy = Policy.for_apis(None, [Contract(folder / "tmf999-order-v4.yaml") for folder in (own, other)])
    clerk = Principal("somebody", frozenset({"clerk"}))
    policy.check(all_apis=False)

    assert policy.access(clerk, "listOrder", BASE_PATH).grants
    with pytest.raises(Forbidden):
        policy.access(clerk, "listOrder", "/tmf-api/ordering/v5")
    assert "clerk" in policy.roles()
    assert policy.missing_rows()["tmf999"] == ["retrieveOrder"]
    assert "listOrder" in policy.missing_rows()["tmf999-v5"]


def test_all_faults_of_a_table_are_reported_at_once(tmp_path: Path) -> None:
    table = tmp_path / "policy.yaml"
    table.write_text("sales: [{may: [patchQuote], states: [lost]}, {may: [readAudit, flyQuote]}]")

    with pytest.raises(BadPolicy) as raised:
        Policy.for_apis(table, APIS).check()

    assert str(raised.value).splitlines() == [
        "policy policy.yaml: role sales, row 1: patchQuote: there is no state 'lost'",
        "policy policy.yaml: role sales, row 2: no contract has the operation 'flyQuote'",
    ]


@pytest.mark.parametrize("right", ["readAudit", "readMetrics"])
def test_reading_what_belongs_to_the_service_is_for_admin_where_no_row_is_about_it(right: str, tmp_path: Path) -> None:
    table = tmp_path / "policy.yaml"
    table.write_text("sales: [{may: [patchQuote]}]")
    policy = Policy.for_apis(table, APIS)

    assert policy.access(Principal("somebody", frozenset({"admin"})), right, "") == FULL_ACCESS
    with pytest.raises(Forbidden):
        policy.access(Principal("somebody", frozenset({"sales"})), right, "")


def with_hub() -> dict[str, Any]:
    document = small_contract.document()
    answers = {"200": {"description": "x"}}
    document["paths"]["/hub"] = {"get": {"operationId": "listListener", "responses": answers}}
    return document


def test_an_operation_that_takes_no_credentials_at_all_fails_the_start() -> None:
    contract = Contract(contracts_folder() / "tmf648-quote-v4.yaml")
    contract.document["paths"]["/quote"]["post"]["security"] = [{}]

    with pytest.raises(ValueError, match="every operation needs credentials"):
        require_credentials(contract)


def test_what_no_row_grants_is_refused() -> None:
    policy = Policy.for_apis(None, APIS)

    for roles in (frozenset(), frozenset({"reader"}), frozenset({"nobody"})):
        with pytest.raises(Forbidden, match="deleteQuote"):
            policy.access(Principal("somebody", frozenset(roles)), "deleteQuote")


def test_a_customer_without_a_party_sees_nothing() -> None:
    access = Policy.for_apis(None, APIS).access(Principal("somebody", frozenset({"customer"})), "listQuote")

    assert not access.sees({"state": "approved", "relatedParty": [{"id": "1"}]})


def test_several_roles_add_up() -> None:
    both = Principal("somebody", frozenset({"customer", "reader"}), frozenset({"1"}))
    access = Policy.for_apis(None, APIS).access(both, "listQuote")

    assert access.sees({"state": "inProgress"})
    assert access.shown({"state": "inProgress", "note": []}) == {"state": "inProgress", "note": []}


def test_listeners_see_what_their_owner_would_list_where_a_contract_retrieves_nothing(tmp_path: Path) -> None:
    document = small_contract.document()
    del document["paths"]["/order/{id}"]["get"]
    contract = small_contract.contract(tmp_path, document)
    policy = Policy([Table("", {"teller": [read_row({"may": ["listOrder"]})]})], [contract])

    assert policy.seen_by(Principal("somebody", frozenset({"teller"})))("tmf999/order").sees({"state": "open"})


def test_listeners_see_what_their_owner_would_retrieve() -> None:
    customer = Principal("somebody", frozenset({"customer"}), frozenset({"1"}))
    seen = Policy.for_apis(None, APIS).seen_by(customer)

    assert seen("tmf648/quote").sees({"state": "approved", "relatedParty": [{"id": "1"}]})
    assert not seen("tmf648/quote").sees({"state": "approved", "relatedParty": [{"id": "2"}]})
    assert not seen("tmf699/salesLead").sees({})
    assert not seen("listener").sees({})


def test_a_token_shows_only_resources_that_its_scopes_may_read() -> None:
    policy = Policy.for_apis(None, APIS)
    admin = Principal("somebody", frozenset({"admin"}), scopes=frozenset({"tmf648:read", "tmf699:write"}))

    assert policy.seen_by(admin)("tmf648/quote").sees({})
    assert not policy.seen_by(admin)("tmf699/salesLead").sees({})
