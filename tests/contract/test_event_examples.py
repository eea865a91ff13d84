"""The events that the contracts show are those that the service sends."""

from __future__ import annotations

from typing import Any

import pytest

from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.events.envelope import Announcer, EventTypes, Occasion

EXAMPLES = [
    (type, name, contract.document["components"]["examples"][name]["value"])
    for contract in load_contracts(contracts_folder())
    for type in contract.resources.values()
    for name in type.events.values()
]
BEFORE: dict[str, dict[str, Any]] = {
    "QuoteStateChangeEvent": {"state": "inProgress"},
    "QuoteInformationRequiredEvent": {"state": "inProgress"},
    "QuoteAttributeValueChangeEvent": {"quoteItem": [{"id": "1"}]},
    "SalesLeadStateChangeEvent": {"status": "acknowledged"},
    "SalesLeadAttributeValueChangeEvent": {"statusChangeReason": "Lead accepted by marketing team"},
}


@pytest.mark.parametrize(("type", "name", "shown"), EXAMPLES, ids=[name for _, name, _ in EXAMPLES])
def test_an_event_is_shown_as_it_is_sent(type: Any, name: str, shown: dict[str, Any]) -> None:
    member = type.shape.lifecycle_member
    announcer = Announcer(EventTypes.from_contract(type.events), type.kind, type.domain, member.name)
    occasion = Occasion(shown["eventTime"], shown["correlationId"], lambda: shown["eventId"])
    resource = shown["event"][type.kind]

    if name in BEFORE:
        sent = announcer.changed({**resource, **BEFORE[name]}, resource, occasion)
    else:
        sent = announcer.deleted(resource, occasion) if "Delete" in name else announcer.created(resource, occasion)

    assert [event for event in sent if event["eventType"] == name] == [shown]
    assert list(shown) == [member for event in sent if event["eventType"] == name for member in event]
