"""Serves `/permissions`: who the caller is, and what the policy lets the caller do in each operation of each API.

It shows nothing beyond the caller's own rows of the policy. A caller without a valid credential gets 401.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tmf_sales.auth.current_policy import CurrentPolicy
from tmf_sales.auth.page import json_page, reject_other_parameters
from tmf_sales.auth.policy import OWN_OPERATIONS
from tmf_sales.auth.policy_table import Row
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.resource_type import Operation
from tmf_sales.http.context import Caller, Identify
from tmf_sales.http.middleware import App, Scope
from tmf_sales.storage.records import Document

PATH = "/permissions"
BEARER = frozenset({"oauth2", "openIdConnect"})


def permissions_page(apis: Sequence[Contract], policy: CurrentPolicy | None, identify: Identify) -> App:
    """Create the page. `policy` None: no authentication, everybody may do everything. `identify` is Security's."""
    scopes = {api.base_path: required_scopes(api) for api in apis}

    async def answer(scope: Scope) -> Document:
        caller = await identify(scope)
        reject_other_parameters(scope)
        principal = caller.principal
        return {
            "authentication": policy is not None,
            "subject": principal.subject,
            "roles": sorted(principal.roles),
            "parties": sorted(principal.parties),
            "service": {id: bool(grants_of(policy, caller, id, "")) for id in sorted(OWN_OPERATIONS)},
            "apis": [
                {
                    "name": api.name,
                    "title": api.title,
                    "basePath": api.base_path,
                    "operations": [
                        _operation(policy, caller, api, each, scopes[api.base_path][each.id])
                        for each in api.operations.values()
                    ],
                }
                for api in apis
            ],
        }

    return json_page(answer)


def _operation(
    policy: CurrentPolicy | None,
    caller: Caller,
    api: Contract,
    operation: Operation,
    required: Sequence[frozenset[str]],
) -> Document:
    """`required`: alternatives of the scopes that a token must have."""
    grants = grants_of(policy, caller, operation.id, api.base_path)
    held = caller.scopes
    missing = [] if held is None else [sorted(each - held) for each in required]
    lacks = min(missing, key=len, default=[])
    shown: Document = {
        "operationId": operation.id,
        "method": operation.method.upper(),
        "path": operation.path,
        "allowed": bool(grants) and not lacks,
        "grants": grants,
    }
    return {**shown, "missingScopes": lacks} if lacks else shown


def grants_of(policy: CurrentPolicy | None, caller: Caller, operation_id: str, base_path: str) -> list[Document]:
    """The rows of the policy that let the caller do this, as JSON; without a policy, one that limits nothing."""
    if policy is None:
        return [{"versions": "all"}]
    return [
        {"role": role, **dict(_columns(row))} for role, row in policy.rows(caller.principal, operation_id, base_path)
    ]


def _columns(row: Row | None) -> Iterator[tuple[str, Any]]:
    yield "versions", "all" if row is None or row.all_versions else "current"
    if row is None:
        return
    if row.whose is not None:
        path, who = row.whose
        yield "whose", {"member": ".".join(path), "is": who}
    if row.states is not None:
        yield "states", list(row.states)
    if row.hides:
        yield "hides", sorted(row.hides)
    if row.changes is not None:
        yield "changes", sorted(row.changes)
    if row.transitions is not None:
        yield "transitions", [{"from": before, "to": after} for before, after in sorted(row.transitions)]
    if row.starts_in is not None:
        yield "startsIn", sorted(row.starts_in)


def required_scopes(api: Contract) -> Mapping[str, Sequence[frozenset[str]]]:
    """For each operation, the alternatives of scopes that a token must have."""
    schemes = api.document["components"].get("securitySchemes", {})
    bearer = {name for name, scheme in schemes.items() if scheme["type"] in BEARER}
    found: dict[str, Sequence[frozenset[str]]] = {}
    for operation in api.operations.values():
        stated = api.document["paths"][operation.path][operation.method]
        requirements = stated.get("security", api.document.get("security", []))
        found[operation.id] = [
            frozenset(scopes) for requirement in requirements for name, scopes in requirement.items() if name in bearer
        ]
    return found
