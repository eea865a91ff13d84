"""What a user copies from the specifications works as they print it (TMF699 and TMF648, the samples of each operation).

Requests are sent byte for byte. Answers differ from the printed ones only where the text contradicts itself; each
difference is named here.
"""

from __future__ import annotations

from tests import printed
from tests.api import JSON_PATCH, MERGE_PATCH, Api, Document, document_of


def server_owned(document: Document) -> Document:
    return {name: document[name] for name in ("id", "href") if name in document}


def test_the_printed_sales_lead_is_created(leads: Api) -> None:
    answer = leads.post("/salesLead", printed.text("tmf699-create-request"))

    assert answer.status_code == 201
    created = document_of(answer)
    shown = printed.read("tmf699-create-response")
    for contact in shown["prospectContact"]:  # the texts "true" and "false", and an end that is empty
        contact["preferred"] = contact["preferred"] == "true"
        del contact["validFor"]["endDateTime"]
    del shown["channel"]["role"]  # nobody sent it
    shown["note"][0]["id"] = "1"  # the printed answer has none
    now = {name: created[name] for name in ("creationDate", "statusChangeDate")}
    assert created == {**shown, **server_owned(created), **now}


def test_the_printed_patch_makes_a_sales_lead_pending(leads: Api) -> None:
    lead = leads.create("/salesLead", printed.text("tmf699-create-request"))
    at = f"/salesLead/{lead['id']}"
    leads.changed(at, {"status": "inProgress"})  # the text leaves out this step of its own state machine

    pending = leads.changed(at, printed.text("tmf699-mergepatch-request"))

    assert pending == {
        **lead,
        "status": "pending",
        "statusChangeReason": "Lead needs extra information to continue the process",
        "statusChangeDate": pending["statusChangeDate"],
    }


def test_the_printed_list_of_sales_leads_has_what_fields_ask_for(leads: Api) -> None:
    shown = printed.read("tmf699-list-response")[0]
    lead = leads.create("/salesLead", {name: shown[name] for name in ("name", "description", "status")})

    answer = leads.get("/salesLead", id=lead["id"], fields="name,description,status", status="inProgress")

    assert answer.json() == [{**shown, **server_owned(lead)}]


def test_the_printed_sales_lead_resource_can_be_created_again(leads: Api) -> None:
    resource = printed.read("tmf699-salesLead-resource")
    sent = {name: value for name, value in resource.items() if name not in {"id", "href"}}

    created = leads.create("/salesLead", sent)

    assert created["creationDate"] == resource["creationDate"]
    assert created["status"] == resource["status"]


def test_the_printed_quote_is_created(quotes: Api) -> None:
    created = quotes.create("/quote", printed.text("tmf648-create-request"))

    shown = printed.read("tmf648-create-response")
    sent = printed.read("tmf648-create-request")
    # Spellings of the printed answer that are not those of its request.
    for name in ("agreement", "quoteItem", "note", "quoteDate"):
        del shown[name]
    for item in sent["quoteItem"]:
        item["state"] = "inProgress"
    assert shown | server_owned(created) == {name: created[name] for name in shown}
    assert created["quoteItem"] == sent["quoteItem"]
    assert created["agreement"] == sent["agreement"]
    assert created["note"] == sent["note"]


def test_the_printed_merge_patch_gives_the_printed_quote(quotes: Api) -> None:
    quote = quotes.create("/quote", printed.text("tmf648-create-request"))
    patch = printed.read("tmf648-mergepatch-request") | {"id": quote["id"]}

    changed = quotes.changed(f"/quote/{quote['id']}", patch, as_type=MERGE_PATCH)

    assert [item["quantity"] for item in changed["quoteItem"]] == [12, 12, 1]
    assert [item.get("productOffering") for item in changed["quoteItem"]] == [
        item.get("productOffering") for item in quote["quoteItem"]
    ]
    assert changed["relatedParty"] == printed.read("tmf648-mergepatch-response")["relatedParty"]
    others = quote.keys() - {"quoteItem", "relatedParty"}
    assert {name: changed[name] for name in others} == {name: quote[name] for name in others}


def test_the_printed_json_patch_gives_what_its_operations_say(quotes: Api) -> None:
    quote = quotes.create("/quote", printed.text("tmf648-create-request"))

    changed = quotes.changed(f"/quote/{quote['id']}", printed.text("tmf648-jsonpatch-request"), as_type=JSON_PATCH)

    # The operations win over the printed answer: item 1 keeps its quantity, and the party its id.
    assert [item["quantity"] for item in changed["quoteItem"]] == [10, 12, 12]
    assert changed["relatedParty"][0] == {**quote["relatedParty"][0], "name": "Louise Pontus"}


def test_the_printed_instant_quote_is_priced_at_once(quotes: Api) -> None:
    answer = quotes.post("/quote", printed.text("tmf648-instantsync-request"))

    assert answer.status_code == 200
    priced, shown = document_of(answer), printed.read("tmf648-instantsync-response")
    del shown["effectiveQuoteCompletionDate"], shown["validFor"]  # misprinted dates
    del shown["relatedParty"][2]  # nobody sent it
    assert {name: priced[name] for name in shown} == shown


def test_the_printed_listener_is_registered(leads: Api, quotes: Api) -> None:
    for api in (leads, quotes):
        answer = api.post("/hub", {"callback": "http://in.listener.com"})

        assert answer.status_code == 201
        assert document_of(answer) == {
            "id": document_of(answer)["id"],
            "callback": "http://in.listener.com",
            "query": None,
        }
        assert api.delete(f"/hub/{document_of(answer)['id']}").status_code == 204
