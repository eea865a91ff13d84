"""What a user of openapi-generator's Python clients does: a quote and a lead from their creation to their removal."""

import sys
from collections.abc import Callable
from typing import Any

import tmf648
import tmf699


def error_of(exception: type[Exception], call: Callable[..., Any], *arguments: Any) -> Any:
    """The contract's Error that a call ends with."""
    try:
        call(*arguments)
    except exception as rejected:
        return vars(rejected)["data"]
    raise AssertionError(f"no {exception.__name__}")


def quote(url: str) -> None:
    client = tmf648.ApiClient(tmf648.Configuration(host=url))
    quotes, hub = tmf648.QuoteApi(client), tmf648.HubApi(client)

    item = tmf648.QuoteItemCreate(id="1", action="add", quoteItem=[tmf648.QuoteItemCreate(id="2", action="add")])
    party = tmf648.RelatedPartyCreate.model_validate({"id": "oag-python", "@referredType": "Organization"})
    wanted = tmf648.QuoteCreate(quoteItem=[item], category="enterprise", description="First", relatedParty=[party])
    created = quotes.create_quote(wanted)
    assert created.id
    assert created.state is tmf648.QuoteStateType.INPROGRESS
    assert created.quote_item
    assert created.quote_item[0].quote_item
    assert created.quote_item[0].quote_item[0].id == "2"
    quotes.create_quote(wanted)
    assert quotes.retrieve_quote(created.id) == created

    page = quotes.list_quote_with_http_info(filter="relatedParty[?(@.id=='oag-python')]", limit=1)
    headers = page.headers or {}
    assert (page.status_code, headers["x-total-count"]) == (206, "2")
    assert 'rel="next"' in headers["link"]
    assert len(page.data) == 1

    changed = quotes.patch_quote(created.id, tmf648.QuoteMergePatch(category="residential", description=None))
    assert (changed.category, changed.description) == ("residential", None)

    operations = [{"op": "replace", "path": "/category", "value": "enterprise"}]
    json_patch = {"Content-Type": "application/json-patch+json"}
    request = client.param_serialize("PATCH", f"/quote/{created.id}", header_params=json_patch, body=operations)
    response = client.call_api(*request)
    response.read()
    patched = client.response_deserialize(response, {"200": "Quote"}).data
    assert isinstance(patched, tmf648.Quote)
    assert patched.category == "enterprise"

    empty = tmf648.QuoteCreate.model_construct(quote_item=[])
    wrong = error_of(tmf648.exceptions.BadRequestException, quotes.create_quote, empty)
    assert isinstance(wrong, tmf648.Error)
    assert (wrong.status, "/quoteItem" in wrong.message) == ("400", True)
    accepted = tmf648.QuoteMergePatch(state=tmf648.QuoteStateType.ACCEPTED)
    conflict = error_of(tmf648.exceptions.ConflictException, quotes.patch_quote, created.id, accepted)
    assert isinstance(conflict, tmf648.Error)
    assert conflict.status == "409"

    subscription = hub.register_listener(tmf648.EventSubscriptionInput(callback="http://127.0.0.1:9/oag-python"))
    assert subscription.query is None
    hub.unregister_listener(subscription.id)

    quotes.delete_quote(created.id)
    gone = error_of(tmf648.exceptions.NotFoundException, quotes.retrieve_quote, created.id)
    assert isinstance(gone, tmf648.Error)
    assert gone.code == "notFound"


def lead(url: str) -> None:
    leads = tmf699.SalesLeadApi(tmf699.ApiClient(tmf699.Configuration(host=url)))

    created = leads.create_sales_lead(tmf699.SalesLeadCreate(name="Campaign", rating="hot"))
    assert created.status is tmf699.SalesLeadStateType.ACKNOWLEDGED
    patch = tmf699.SalesLeadMergePatch(status=tmf699.SalesLeadStateType.INPROGRESS, rating=None)
    changed = leads.patch_sales_lead(created.id, patch)
    assert (changed.status, changed.rating) == (tmf699.SalesLeadStateType.INPROGRESS, None)
    leads.delete_sales_lead(created.id)


quote(f"{sys.argv[1]}/tmf-api/quoteManagement/v4")
lead(f"{sys.argv[1]}/tmf-api/sales/v4")
print("round trip done")
