"""Personal data in one document: found by the contract's x-personal, erased without touching anything else."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest

from tmf_sales.contract.loader import load_contracts
from tmf_sales.engine.representation import with_href
from tmf_sales.privacy.party import types_of
from tmf_sales.privacy.personal_data import erase, may_mention, mentions, refers_to

TYPES = types_of(load_contracts(Path(__file__).parents[2] / "openapi"))
QUOTE, LEAD = TYPES["tmf648/quote"], TYPES["tmf699/salesLead"]


def party(id: str, **members: Any) -> dict[str, Any]:
    return {"id": id, "name": "Ada L.", "role": "Customer", "@referredType": "Individual", **members}


ERASED_PARTY = {"id": "erased", "role": "Customer", "@referredType": "Individual"}


def quote(**members: Any) -> dict[str, Any]:
    item = {"id": "1", "action": "add", "state": "inProgress", "quantity": 1}
    return {"id": "q", "@type": "Quote", "state": "inProgress", "version": "1", "quoteItem": [item], **members}


def test_a_reference_keeps_its_role_and_class_only() -> None:
    known = quote(relatedParty=[party("55", href="/party/55", further={"born": 1815}), party("seller")])

    erased, places = erase(known, QUOTE.object_type, "55")

    assert erased["relatedParty"] == [ERASED_PARTY, party("seller")]
    assert places == ["/relatedParty/0"]


def test_references_are_found_at_every_depth() -> None:
    deep = {"id": "2", "action": "add", "relatedParty": [party("55")]}
    approval = {"name": "discount", "approver": [party("55")], "signatureRepresentation": "Ada"}
    product = {"id": "p", "relatedParty": [party("55")], "place": [{"id": "home", "role": "installation"}]}
    item = {"id": "1", "action": "add", "quoteItem": [deep], "quoteItemAuthorization": [approval], "product": product}

    erased, places = erase(quote(quoteItem=[item]), QUOTE.object_type, "55")

    assert b'"55"' not in orjson.dumps(erased)
    assert b"Ada" not in orjson.dumps(erased)
    assert sorted(places) == [
        "/quoteItem/0/product/place",
        "/quoteItem/0/product/relatedParty/0",
        "/quoteItem/0/quoteItem/0/relatedParty/0",
        "/quoteItem/0/quoteItemAuthorization/0/approver/0",
        "/quoteItem/0/quoteItemAuthorization/0/signatureRepresentation",
    ]


def test_personal_data_beside_a_reference_is_erased() -> None:
    lead = {
        "id": "l",
        "name": "Fibre",
        "relatedParty": [party("55")],
        "prospectContact": [{"mediumType": "email", "characteristic": {"emailAddress": "ada@example.com"}}],
        "note": [{"id": "1", "author": "Bob", "text": "call Ada", "date": "2026-01-01T00:00:00.000Z"}],
    }

    erased, places = erase(lead, LEAD.object_type, "55")

    assert "prospectContact" not in erased
    assert erased["note"] == [{"id": "1", "author": "erased", "text": "erased", "date": "2026-01-01T00:00:00.000Z"}]
    assert sorted(places) == ["/note/0/author", "/note/0/text", "/prospectContact", "/relatedParty/0"]


def test_personal_data_stays_when_only_references_are_erased() -> None:
    contact = [{"mediumType": "phone", "characteristic": {"phoneNumber": "1"}}]
    known = quote(relatedParty=[party("55")], contactMedium=contact, note=[{"id": "1", "text": "hello"}])

    erased, places = erase(known, QUOTE.object_type, "55", references_only=True)

    assert erased == {**known, "relatedParty": [ERASED_PARTY]}
    assert places == ["/relatedParty/0"]


@pytest.mark.parametrize("other", ["5", "555", "erased"])
def test_a_document_that_does_not_refer_to_the_party_is_not_touched(other: str) -> None:
    known = quote(relatedParty=[party(other)], note=[{"id": "55", "text": "about 55"}], externalId="55")

    assert erase(known, QUOTE.object_type, "55") == (known, [])
    assert not refers_to(known, QUOTE.object_type, "55")


def test_what_is_erased_no_longer_refers_to_the_party() -> None:
    erased, _ = erase(quote(relatedParty=[party("55")], note=[{"id": "1", "text": "x"}]), QUOTE.object_type, "55")

    assert erase(erased, QUOTE.object_type, "55") == (erased, [])


def test_a_second_party_of_the_same_document_is_erased_later() -> None:
    known = quote(relatedParty=[party("55"), party("56")], note=[{"id": "1", "text": "x"}])

    erased, _ = erase(known, QUOTE.object_type, "55")
    erased, places = erase(erased, QUOTE.object_type, "56")

    assert erased["relatedParty"] == [ERASED_PARTY, ERASED_PARTY]
    assert places == ["/relatedParty/1"]  # the note is erased already


def test_the_document_given_is_not_modified() -> None:
    known = quote(relatedParty=[party("55")], contactMedium=[{}])
    before = copy.deepcopy(known)

    erase(known, QUOTE.object_type, "55")

    assert known == before


def test_an_erased_document_still_satisfies_its_contract() -> None:
    known = quote(relatedParty=[party("55")], note=[{"id": "1", "author": "Ada", "text": "x"}], contactMedium=[{}])

    erased, _ = erase(known, QUOTE.object_type, "55")

    assert QUOTE.after_patch.violations(with_href(erased, "http://localhost/q")) == []


def test_places_outside_the_contract_are_reported_where_the_id_stands_alone_or_ends_a_url() -> None:
    value = {"description": "55", "x": [{"y": "http://h/party/55"}, "155", "55 pieces", 55]}

    assert list(mentions(value, "55")) == ["/description", "/x/0/y"]


@pytest.mark.parametrize("id", ["55", 'a"b', "ü/\\"])
def test_a_text_that_mentions_an_id_is_recognized_unparsed(id: str) -> None:
    assert may_mention(orjson.dumps({"id": id}), id)
    assert not may_mention(orjson.dumps({"id": "another"}), id)
