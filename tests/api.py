"""A client of one running API that checks every response against the contract."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
from tests.reference_stack.connexion_words import worded_as_by_the_service
from tests.truth import Truth

Document = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
JSON = "application/json"
PATIENCE = 60.0
STACK = os.environ.get("TEST_STACK", "asgi")


def current_time() -> str:
    """The time in the form of the service's date-times; the date of a later event is the same or greater."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Api:
    """Paths are below the API's base path; a body is sent as JSON."""

    def __init__(self, url: str, base_path: str, truth: Truth) -> None:
        self.url = url
        self.base_path = base_path
        self._truth = truth
        # A compressed response has another ETag; tests/edge/test_compression.py has those.
        self._client = httpx.Client(base_url=url, timeout=PATIENCE, headers={"Accept-Encoding": "identity"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    @property
    def root(self) -> str:
        return self.url + self.base_path

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **sent: Any) -> httpx.Response:
        """Any request; `sent` is what httpx takes. Nothing of it is checked, only the answer."""
        answer = self._client.request(method, self.root + path, headers=headers, **sent)
        self._truth.check(answer)
        if STACK == "flask" and (contract := self._truth.contract_of(answer.request)):
            return worded_as_by_the_service(answer, contract)
        return answer

    def get(self, path: str, headers: dict[str, str] | None = None, /, **params: Any) -> httpx.Response:
        return self.request("GET", path, headers, **({"params": params} if params else {}))

    def head(self, path: str, headers: dict[str, str] | None = None, /, **params: Any) -> httpx.Response:
        return self.request("HEAD", path, headers, **({"params": params} if params else {}))

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("POST", path, {"Content-Type": JSON, **(headers or {})}, content=as_bytes(body))

    def patch(
        self, path: str, body: Any, headers: dict[str, str] | None = None, *, as_type: str = MERGE_PATCH
    ) -> httpx.Response:
        return self.request("PATCH", path, {"Content-Type": as_type, **(headers or {})}, content=as_bytes(body))

    def delete(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("DELETE", path, headers)

    def create(self, collection: str, body: Any) -> Document:
        """The resource that the body creates."""
        answer = self.post(collection, body)
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
        return document_of(answer)

    def changed(self, path: str, body: Any, *, as_type: str = MERGE_PATCH) -> Document:
        """The resource that a patch makes of the one at `path`."""
        answer = self.patch(path, body, as_type=as_type)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return document_of(answer)


def as_bytes(body: Any) -> bytes:
    """A body as JSON; bytes are sent as they are."""
    return body if isinstance(body, bytes) else orjson.dumps(body)


def document_of(answer: httpx.Response) -> Document:
    document = answer.json()
    assert isinstance(document, dict)
    return document


def refusal(answer: httpx.Response, status: int, *codes: str) -> str:
    """The message of an error of this status and one of these codes, which tells a client nothing of the inside."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    error = document_of(answer)
    assert error["status"] == str(status)
    assert answer.headers["content-type"] == JSON
    for inside in ("Traceback", "site-packages", "jsonschema", "connexion", "starlette", "orjson"):
        assert inside not in answer.text
    assert error["code"] in codes, f"{answer.status_code} {answer.text}"
    return str(error["message"])
