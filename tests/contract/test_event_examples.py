"""The events that the contracts show are those that the service sends."""

from __future__ import annotations

from typing import Any

import pytest

from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.events.envelope import EventContext, EventFactory, EventTypes

EXAMPLES = [
    (type, name, contract.document["components"]["examples"][f"{name}Example"]["value"])
    for contract in load_contracts(contracts_folder())
    for type in contract.resources.values()
    for name in type.event_types
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
    member = type.object_type.lifecycle_member
    event_factory = EventFactory(EventTypes.from_contract(type.events), type.noun, type.domain, member.name)
    context = EventContext(shown["eventTime"], shown["correlationId"], lambda: shown["eventId"])
    resource = shown["event"][type.noun]

    if name in BEFORE:
        sent = event_factory.changed({**resource, **BEFORE[name]}, resource, context)
    else:
        sent = (
            event_factory.deleted(resource, context) if "Delete" in name else event_factory.created(resource, context)
        )

    assert [event for event in sent if event["eventType"] == name] == [shown]
    assert list(shown) == [member for event in sent if event["eventType"] == name for member in event]
