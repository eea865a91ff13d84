"""The response to a request, and the expectations of checks about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NoReturn

from tmf_conformance.api import Document
from tmf_conformance.interaction import Interaction
from tmf_conformance.outcome import Failed


class Response:
    """A complete response of the server under test, with any content."""

    def __init__(self, interaction: Interaction) -> None:
        self.interaction = interaction
        self.status = interaction.status
        self.headers: Mapping[str, str] = interaction.headers
        self.read_back: Response | None = None  # what GET returns for the resource, when this response has no body

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_rejection(self) -> bool:
        """The server rejects the content, rather than credentials, path, method, media type or load."""
        return 400 <= self.status < 500 and self.status not in {401, 403, 404, 405, 415, 429}

    @property
    def is_unsupported(self) -> bool:
        """The server states that it does not support the request."""
        return 400 <= self.status < 500 or self.status == 501

    @property
    def is_missing_operation(self) -> bool:
        """The status suggests that the operation does not exist."""
        return self.status in {404, 405, 501}

    @property
    def is_gone(self) -> bool:
        return self.status in {404, 410}

    @property
    def is_empty(self) -> bool:
        return not self.interaction.content.strip()

    @cached_property
    def value(self) -> Any:
        """The body as JSON, whatever Content-Type says; None when it is not JSON."""
        try:
            return json.loads(self.interaction.content)
        except (ValueError, RecursionError):
            return None

    def object(self) -> Document:
        if self.is_empty and self.read_back is not None:
            return self.read_back.object()
        if not isinstance(self.value, dict):
            self.fail("the body is a JSON object")
        return self.value

    def objects(self) -> list[Document]:
        if not isinstance(self.value, list) or not all(isinstance(each, dict) for each in self.value):
            self.fail("the body is a JSON array of objects")
        return self.value

    def fail(self, expected: str) -> NoReturn:
        raise Failed(expected, self.interaction)

    def expect(self, holds: bool, expected: str) -> None:
        if not holds:
            self.fail(expected)

    def expect_status(self, *statuses: int) -> None:
        self.expect(self.status in statuses, f"status {' or '.join(map(str, statuses))}")

    def expect_success(self) -> None:
        self.expect(self.is_success, "a status of success (2xx)")
