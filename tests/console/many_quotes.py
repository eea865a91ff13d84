"""Writes 1,000 quotes and 40 sales leads as lines for `tmf-sales import`, the same but for the time.

python -m tests.console.many_quotes FILE: tests and the pictures in the documentation use these.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

QUOTES, LEADS = 1_000, 40
STATES = ("inProgress",) * 8 + ("pending",) * 3 + ("approved",) * 4 + ("accepted",) * 3 + ("rejected", "cancelled")
LEAD_STATES = ("acknowledged", "inProgress", "pending", "accepted", "rejected")
CUSTOMERS = ("Contoso", "Fabrikam", "Northwind", "Tailspin Toys", "Wingtip", "Litware", "Adventure Works")
PLACES = ("Paris", "Lyon", "Berlin", "Madrid", "Porto", "Vienna", "Oslo")
OFFERS = (
    ("fibre-1g", "Fibre 1 Gbit/s", "recurring", "month", 30.0),
    ("installation", "Installation", "nonRecurring", None, 350.0),
    ("firewall", "Managed firewall", "recurring", "year", 100.0),
    ("voice", "Cloud voice", "recurring", "month", 12.5),
)
TAX = 16.0


def written(at: datetime) -> bytes:
    lines = [_line("tmf648/quote", quote(at, number)) for number in range(QUOTES)]
    lines += [_line("tmf699/salesLead", lead(at, number)) for number in range(LEADS)]
    return b"".join(lines)


def _line(kind: str, document: dict[str, Any]) -> bytes:
    head = {"kind": kind, "id": document["id"], "revision": 1, "versions": [{"revision": 1, "document": document}]}
    return json.dumps(head).encode() + b"\n"


def quote(at: datetime, number: int) -> dict[str, Any]:
    state = STATES[number % len(STATES)]
    customer, place = CUSTOMERS[number % len(CUSTOMERS)], PLACES[number * 3 % len(PLACES)]
    made = at - timedelta(hours=5 * number + 2)
    items = [item(number, position, state) for position in range(1 + number % 3)]
    document = {
        "id": f"q-{number:04}",
        "@type": "Quote",
        "version": "1",
        "instantSyncQuote": False,
        "description": f"{items[0]['productOffering']['name']} for {customer}, {place}",
        "category": ("business", "consumer", "public")[number % 3],
        "externalId": f"CRM-{20_000 + number}",
        "state": state,
        "quoteDate": _text(made),
        "relatedParty": [
            {"id": f"c-{number % len(CUSTOMERS)}", "name": customer, "role": "Buyer", "@referredType": "Organization"},
            {
                "id": f"s-{number % 4}",
                "name": f"Sales desk {number % 4 + 1}",
                "role": "Seller",
                "@referredType": "Individual",
            },
        ],
        "quoteItem": items,
    }
    if state in {"approved", "accepted", "rejected"}:
        document["effectiveQuoteCompletionDate"] = _text(made + timedelta(hours=1))
        document["validFor"] = {
            "startDateTime": _text(made),
            "endDateTime": _text(at + timedelta(days=number % 37 + 1)),
        }
        document["quoteTotalPrice"] = list(_totals(items))
    return document


def item(number: int, position: int, state: str) -> dict[str, Any]:
    offering, name, kind, period, net = OFFERS[(number + position) % len(OFFERS)]
    amounts = {
        "taxRate": TAX,
        "dutyFreeAmount": {"unit": "EUR", "value": net},
        "taxIncludedAmount": {"unit": "EUR", "value": round(net * (1 + TAX / 100), 2)},
    }
    price = {"name": name, "priceType": kind, "price": amounts}
    return {
        "id": str(position + 1),
        "action": "add",
        "quantity": 1 + number % 12,
        "state": state if state in {"inProgress", "pending", "approved", "rejected"} else "approved",
        "productOffering": {"id": offering, "name": name},
        "quoteItemPrice": [price | ({"recurringChargePeriod": period} if period else {})],
    }


def _totals(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One price for each kind and period."""
    sums: dict[tuple[str, str | None], dict[str, float]] = {}
    for each in items:
        price = each["quoteItemPrice"][0]
        amounts = sums.setdefault((price["priceType"], price.get("recurringChargePeriod")), {})
        for name in ("dutyFreeAmount", "taxIncludedAmount"):
            amounts[name] = amounts.get(name, 0) + price["price"][name]["value"] * each["quantity"]
    for (kind, period), amounts in sums.items():
        stated = {"recurringChargePeriod": period} if period else {}
        money = {name: {"unit": "EUR", "value": round(value, 2)} for name, value in amounts.items()}
        yield {"priceType": kind, **stated, "price": {"taxRate": TAX, **money}}


def lead(at: datetime, number: int) -> dict[str, Any]:
    made = at - timedelta(hours=9 * number + 1)
    return {
        "id": f"l-{number:04}",
        "@type": "SalesLead",
        "name": f"{OFFERS[number % len(OFFERS)][1]} for {PLACES[number % len(PLACES)]}",
        "priority": ("low", "medium", "high")[number % 3],
        "status": LEAD_STATES[number % len(LEAD_STATES)],
        "creationDate": _text(made),
        "statusChangeDate": _text(made),
        "statusChangeReason": "Lead created",
        "estimatedRevenue": {"unit": "EUR", "value": 1_000.0 * (number + 1)},
        "relatedParty": [
            {
                "id": f"c-{number % len(CUSTOMERS)}",
                "name": CUSTOMERS[number % 7],
                "role": "Prospect",
                "@referredType": "Organization",
            }
        ],
    }


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(written(datetime.now(UTC)))
