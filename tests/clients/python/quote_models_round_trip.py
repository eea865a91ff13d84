"""What a user of the models of datamodel-code-generator does: one quote from its creation to its removal."""

import sys
from typing import Any

import httpx
from pydantic import BaseModel
from quote_models import (
    Error,
    EventSubscription,
    EventSubscriptionInput,
    Quote,
    QuoteCreate,
    QuoteItemCreate,
    QuoteMergePatch,
    QuoteStateType,
    RelatedPartyCreate,
)

MERGE_PATCH, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


def body(model: BaseModel) -> Any:
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


with httpx.Client(base_url=f"{sys.argv[1]}/tmf-api/quoteManagement/v4", timeout=60) as client:
    bundle = QuoteItemCreate(id="1", action="add", quote_item=[QuoteItemCreate(id="2", action="add")])
    party = RelatedPartyCreate(id="models", field_referred_type="Organization")
    wanted = QuoteCreate(quote_item=[bundle], category="enterprise", description="First", related_party=[party])
    created = client.post("/quote", json=body(wanted))
    quote = Quote.model_validate(created.json())
    assert quote.state is QuoteStateType.in_progress
    assert quote.quote_item
    assert quote.quote_item[0].quote_item
    assert quote.quote_item[0].quote_item[0].id == "2"
    assert client.post("/quote", json=body(wanted)).status_code == 201

    path = f"/quote/{quote.id}"
    assert Quote.model_validate(client.get(path).json()) == quote

    page = client.get("/quote", params={"relatedParty.id": "models", "limit": 1})
    assert [Quote.model_validate(each) for each in page.json()]
    assert (page.status_code, page.headers["X-Total-Count"]) == (206, "2")
    assert page.links["next"]

    patch = body(QuoteMergePatch(category="residential", description=None))
    changed = Quote.model_validate(client.patch(path, json=patch, headers={"Content-Type": MERGE_PATCH}).json())
    assert (changed.category, changed.description) == ("residential", None)

    operations = [{"op": "replace", "path": "/category", "value": "enterprise"}]
    patched = client.patch(path, json=operations, headers={"Content-Type": JSON_PATCH})
    assert Quote.model_validate(patched.json()).category == "enterprise"

    wrong = client.post("/quote", json={"quoteItem": []})
    assert (wrong.status_code, Error.model_validate(wrong.json()).status) == (400, "400")
    accepted = body(QuoteMergePatch(state=QuoteStateType.accepted))
    conflict = client.patch(path, json=accepted, headers={"Content-Type": MERGE_PATCH})
    assert (conflict.status_code, Error.model_validate(conflict.json()).status) == (409, "409")

    registration = EventSubscriptionInput(callback="http://127.0.0.1:9/models")
    subscription = EventSubscription.model_validate(client.post("/hub", json=body(registration)).json())
    assert subscription.query is None
    assert client.delete(f"/hub/{subscription.id}").status_code == 204

    assert client.delete(path).status_code == 204
    assert Error.model_validate(client.get(path).json()).code == "notFound"
print("round trip done")
