"""What a user of the generated Sales client does: one sales lead from its creation to its removal."""

import sys

from sales_management_client import Client
from sales_management_client.api.sales_lead import (
    create_sales_lead,
    delete_sales_lead,
    list_sales_lead,
    patch_sales_lead,
    retrieve_sales_lead,
)
from sales_management_client.models import (
    Error,
    ListSalesLeadCriteria,
    RelatedPartyCreate,
    SalesLead,
    SalesLeadCreate,
    SalesLeadMergePatch,
    SalesLeadPriorityType,
    SalesLeadStateType,
)

with Client(base_url=f"{sys.argv[1]}/tmf-api/sales/v4") as client:
    party = RelatedPartyCreate(id="python", referred_type="Individual", name="Ines")
    wanted = SalesLeadCreate(
        name="Campaign", rating="hot", priority=SalesLeadPriorityType.HIGH, type_="business", related_party=[party]
    )
    lead = create_sales_lead.sync(client=client, body=wanted)
    assert isinstance(lead, SalesLead)
    assert lead.status is SalesLeadStateType.ACKNOWLEDGED
    assert lead["@type"] == "SalesLead"
    assert lead.type_ == "business"
    assert create_sales_lead.sync(client=client, body=wanted) is not None

    assert retrieve_sales_lead.sync(lead.id, client=client) == lead

    criteria = ListSalesLeadCriteria.from_dict({"relatedParty.id": "python"})
    found = list_sales_lead.sync(client=client, criteria=criteria)
    assert isinstance(found, list)
    assert len(found) == 2

    page = list_sales_lead.sync_detailed(client=client, criteria=criteria, limit=1, sort="name")
    assert page.status_code == 206
    assert page.headers["X-Total-Count"] == "2"
    assert isinstance(page.parsed, list)
    assert len(page.parsed) == 1

    patch = SalesLeadMergePatch(status=SalesLeadStateType.INPROGRESS, rating=None)
    changed = patch_sales_lead.sync(lead.id, client=client, body=patch)
    assert isinstance(changed, SalesLead)
    assert changed.status is SalesLeadStateType.INPROGRESS
    assert not changed.rating

    wrong = create_sales_lead.sync_detailed(client=client, body=SalesLeadCreate(name="x" * 513))
    assert wrong.status_code == 400
    assert isinstance(wrong.parsed, Error)
    assert wrong.parsed.code == "invalidBody"
    assert "/name" in wrong.parsed.message

    assert delete_sales_lead.sync_detailed(lead.id, client=client).status_code == 204
    gone = retrieve_sales_lead.sync(lead.id, client=client)
    assert isinstance(gone, Error)
    assert (gone.status, gone.code) == ("404", "notFound")
print("round trip done")
