"""A query parameter that an operation does not declare is rejected by name, wherever the contract has no filters."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from tests.edge.conftest import Start

from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts

QUOTES = "/tmf-api/quoteManagement/v4"


def operations_without_filters() -> Iterator[tuple[str, str]]:
    """The method and path of every operation of every contract whose query string is no query."""
    for api in load_contracts(contracts_folder()):
        for operation in api.operations.values():
            names = {each["name"] for each in operation.parameters if each["in"] == "query"}
            if "fields" not in names:
                yield operation.method.upper(), api.base_path + re.sub(r"\{\w+\}", "unknown", operation.path)


@pytest.mark.parametrize(("method", "path"), sorted(operations_without_filters()))
def test_an_undeclared_parameter_of_an_operation_is_rejected_before_anything_happens(
    start: Start, method: str, path: str
) -> None:
    body = {"callback": "http://127.0.0.1:9/", "eventId": "1"} if method == "POST" else None

    response = httpx.request(method, f"{start().url}{path}?version=1.0", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "invalidParameter")
    assert response.json()["message"].startswith("'version' is not a parameter here")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (f"{QUOTES}/hub?state=active", "'state' is not a parameter here, where there are none: leave it out"),
        (f"{QUOTES}/hub/1/attempt?Limit=2", "'Limit' is not a parameter here; did you mean limit?"),
        (f"{QUOTES}/hub/1/attempt?page=2", "'page' is not a parameter here, where there is only limit"),
        (f"{QUOTES}/hub/1/attempt?limit=1&limit=2", "limit: is given more than once"),
        (f"{QUOTES}/event/match?query=&qeury=", "'qeury' is not a parameter here; did you mean query?"),
        (
            f"{QUOTES}/quote/1?version=1",
            "'version' is not a parameter here, where there is only fields, filter, expand, depth",
        ),
        ("/audit?kind=quote&id=1&ids=2", "'ids' is not a parameter here; did you mean id?"),
        ("/audit?kind=quote&id=1&limit=2", "'limit' is not a parameter here, where there is only kind and id"),
        ("/audit?kind=quote&id=1&id=2", "id: is given more than once"),
        ("/permissions?x=", "'x' is not a parameter here, where there are none: leave it out"),
        ("/health?verbose", "'verbose' is not a parameter here, where there are none: leave it out"),
    ],
)
def test_the_rejection_says_what_the_operation_has(start: Start, path: str, message: str) -> None:
    response = httpx.get(start().url + path)

    assert response.status_code == 400
    assert response.json()["message"] == message
