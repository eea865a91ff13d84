"""What a user of the generated Quote client does: one quote from its creation to its removal."""

import sys

from quote_management_client import Client
from quote_management_client.api.hub import register_listener, unregister_listener
from quote_management_client.api.quote import create_quote, delete_quote, list_quote, patch_quote, retrieve_quote
from quote_management_client.models import (
    Error,
    EventSubscription,
    EventSubscriptionInput,
    ListQuoteCriteria,
    Quote,
    QuoteCreate,
    QuoteItemCreate,
    QuoteMergePatch,
    QuoteStateType,
    RelatedPartyCreate,
)

with Client(base_url=f"{sys.argv[1]}/tmf-api/quoteManagement/v4") as client:
    bundle = QuoteItemCreate(id="1", action="add", quote_item=[QuoteItemCreate(id="2", action="add")])
    party = RelatedPartyCreate(id="python", referred_type="Organization")
    wanted = QuoteCreate(quote_item=[bundle], category="enterprise", description="First", related_party=[party])
    quote = create_quote.sync(client=client, body=wanted)
    assert isinstance(quote, Quote)
    assert quote.state is QuoteStateType.INPROGRESS
    assert quote.quote_item
    assert quote.quote_item[0].quote_item
    assert quote.quote_item[0].quote_item[0].id == "2"
    assert create_quote.sync(client=client, body=wanted) is not None

    assert retrieve_quote.sync(quote.id, client=client) == quote

    criteria = ListQuoteCriteria.from_dict({"relatedParty.id": "python"})
    found = list_quote.sync(client=client, criteria=criteria)
    assert isinstance(found, list)
    assert len(found) == 2

    page = list_quote.sync_detailed(client=client, criteria=criteria, offset=1, limit=1)
    assert page.status_code in {200, 206}
    assert page.headers["X-Total-Count"] == "2"
    assert isinstance(page.parsed, list)
    assert len(page.parsed) == 1

    changed = patch_quote.sync(quote.id, client=client, body=QuoteMergePatch(category="residential", description=None))
    assert isinstance(changed, Quote)
    assert changed.category == "residential"
    assert not changed.description

    # The generated patch is a merge patch: a JSON Patch goes through the client's own httpx client.
    operations = [{"op": "replace", "path": "/category", "value": "enterprise"}]
    json_patch = {"Content-Type": "application/json-patch+json"}
    response = client.get_httpx_client().patch(f"/quote/{quote.id}", json=operations, headers=json_patch)
    assert Quote.from_dict(response.json()).category == "enterprise"

    wrong = create_quote.sync_detailed(client=client, body=QuoteCreate(quote_item=[]))
    assert wrong.status_code == 400
    assert isinstance(wrong.parsed, Error)
    assert "/quoteItem" in wrong.parsed.message

    conflict = patch_quote.sync(quote.id, client=client, body=QuoteMergePatch(state=QuoteStateType.ACCEPTED))
    assert isinstance(conflict, Error)
    assert conflict.status == "409"

    registration = EventSubscriptionInput(callback="http://127.0.0.1:9/python")
    subscription = register_listener.sync(client=client, body=registration)
    assert isinstance(subscription, EventSubscription)
    assert subscription.query is None
    assert unregister_listener.sync_detailed(subscription.id, client=client).status_code == 204

    assert delete_quote.sync_detailed(quote.id, client=client).status_code == 204
    gone = retrieve_quote.sync(quote.id, client=client)
    assert isinstance(gone, Error)
    assert (gone.status, gone.code) == ("404", "notFound")
print("round trip done")
