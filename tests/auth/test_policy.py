"""The policy table: what it grants, and what is refused at start."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract import small_contract

from tmf_sales.access import Principal
from tmf_sales.app import contracts_folder, create_app
from tmf_sales.auth.authentication import require_credentials
from tmf_sales.auth.policy import SHIPPED, BadPolicy, Policy, read_row
from tmf_sales.contract.loader import Contract, load_contracts
from tmf_sales.errors import CannotStart, Forbidden
from tmf_sales.settings import Settings

APIS = load_contracts(contracts_folder())


def refusal(folder: Path, table: str) -> str:
    path = folder / "policy.yaml"
    path.write_text(table)
    with pytest.raises(BadPolicy) as refused:
        Policy.load(path, APIS).check()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def row(columns: str) -> str:
    return f"sales: [{{may: [patchQuote], {columns}}}]"


def test_the_shipped_table_is_good_and_has_the_roles() -> None:
    policy = Policy.load(SHIPPED, APIS)

    policy.check()
    assert policy.roles() == ["reader", "sales", "customer", "marketing", "salesTeam", "admin"]


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
        ("sales: [{may: [patchQuote]}]", "no row says who may do createQuote"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, table: str, said: str) -> None:
    assert said in refusal(tmp_path, table)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy):
        Policy.load(tmp_path / "none.yaml", APIS)


def test_a_new_operation_without_a_row_fails_the_start(tmp_path: Path) -> None:
    table, keys = tmp_path / "policy.yaml", tmp_path / "keys.yaml"
    table.write_text(SHIPPED.read_text().replace("headQuote, ", ""))
    keys.write_text("[]")

    with pytest.raises(CannotStart, match="no row says who may do headQuote"):
        create_app(Settings(store="memory:", policy=table, api_keys=keys))


def test_an_operation_that_takes_no_credentials_at_all_fails_the_start() -> None:
    contract = Contract(contracts_folder() / "tmf648-quote-v4.yaml")
    contract.document["paths"]["/quote"]["post"]["security"] = [{}]

    with pytest.raises(ValueError, match="takes no credentials"):
        require_credentials(contract)


def test_what_no_row_grants_is_refused() -> None:
    policy = Policy.load(SHIPPED, APIS)

    for roles in (frozenset(), frozenset({"reader"}), frozenset({"nobody"})):
        with pytest.raises(Forbidden, match="deleteQuote"):
            policy.access(Principal("somebody", frozenset(roles)), "deleteQuote")


def test_a_customer_without_a_party_sees_nothing() -> None:
    access = Policy.load(SHIPPED, APIS).access(Principal("somebody", frozenset({"customer"})), "listQuote")

    assert not access.sees({"state": "approved", "relatedParty": [{"id": "1"}]})


def test_several_roles_add_up() -> None:
    both = Principal("somebody", frozenset({"customer", "reader"}), frozenset({"1"}))
    access = Policy.load(SHIPPED, APIS).access(both, "listQuote")

    assert access.sees({"state": "inProgress"})
    assert access.shown({"state": "inProgress", "note": []}) == {"state": "inProgress", "note": []}


def test_listeners_see_what_their_owner_would_list_where_a_contract_retrieves_nothing(tmp_path: Path) -> None:
    document = small_contract.document()
    del document["paths"]["/order/{id}"]["get"]
    policy = Policy({"teller": [read_row({"may": ["listOrder"]})]}, [small_contract.contract(tmp_path, document)], "")

    assert policy.seen_by(Principal("somebody", frozenset({"teller"})))("order").sees({"state": "open"})


def test_listeners_see_what_their_owner_would_retrieve() -> None:
    customer = Principal("somebody", frozenset({"customer"}), frozenset({"1"}))
    seen = Policy.load(SHIPPED, APIS).seen_by(customer)

    assert seen("quote").sees({"state": "approved", "relatedParty": [{"id": "1"}]})
    assert not seen("quote").sees({"state": "approved", "relatedParty": [{"id": "2"}]})
    assert not seen("salesLead").sees({})
    assert not seen("listener").sees({})
