"""Error texts for requests that stock Connexion rejects itself (connexion-differences.md, error messages).

A test on the reference stack reads what the service's own validation says of the same request. Where that would not
reject it with the same status, Connexion's sentence stays, which no test expects.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, MutableMapping
from typing import Any
from urllib.parse import unquote

import httpx

from tmf_sales.contract.leniency import Mode
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.resource_type import Operation
from tmf_sales.http.public_base import PublicBase
from tmf_sales.http.validation import ValidatedOperation, ValidationSettings

SENTENCES = {
    "badRequest": "The request could not be read",
    "unsupportedMediaType": "Content-Type: expected one that the operation takes",
}
OPEN = ValidationSettings(
    mode=Mode.STANDARD, body_limit=4 * 1024 * 1024, public_base=PublicBase("http://test"), new_id=lambda: "1"
)

Message = MutableMapping[str, Any]


def worded_as_by_the_service(answer: httpx.Response, contract: Contract) -> httpx.Response:
    if not is_said_by_connexion(answer):
        return answer
    status, body = verdict(answer.request, contract)
    if status != answer.status_code:
        return answer
    headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"content-length"]
    return httpx.Response(status, headers=headers, content=body, request=answer.request)


def is_said_by_connexion(answer: httpx.Response) -> bool:
    if answer.status_code not in {400, 415} or not answer.content:
        return False
    error = answer.json()
    return bool(SENTENCES.get(error["code"]) == error["message"])


def verdict(request: httpx.Request, contract: Contract) -> tuple[int, bytes]:
    """Status and body of what the service's validation answers; 200 where it would ask the handler."""
    sent: list[Message] = []

    async def handler(_scope: Message, _receive: object, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": request.content}

    async def send(message: Message) -> None:
        sent.append(message)

    path = request.url.raw_path.partition(b"?")[0].decode("ascii").removeprefix(contract.base_path).rstrip("/")
    operation, parameters = next(operations_at(contract, request.method, path))
    scope = {
        "method": request.method,
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "path_params": parameters,
    }
    finish(ValidatedOperation(handler, contract, operation, OPEN)(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def operations_at(contract: Contract, method: str, path: str) -> Iterator[tuple[Operation, dict[str, str]]]:
    steps = path.split("/")
    for operation in contract.operations.values():
        template = operation.path.split("/")
        if operation.method == method.lower() and len(template) == len(steps):
            pairs = [*zip(template, steps, strict=True)]
            if all(known == step for known, step in pairs if not known.startswith("{")):
                yield operation, {known[1:-1]: unquote(step) for known, step in pairs if known.startswith("{")}


def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run what never waits, whether or not a loop runs already."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")
