"""The requests that both stacks are asked: the printed samples, and mutations of each of their nodes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.api import JSON, MERGE_PATCH

SAMPLES = Path(__file__).parents[1] / "samples"
LEADS = "/tmf-api/sales/v4/salesLead"
QUOTES = "/tmf-api/quoteManagement/v4/quote"
HUB = "/tmf-api/sales/v4/hub"

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. In `path`, `{id}` stands for a resource that is created for it alone, from `made_of`."""

    name: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    made_of: Any = None

    @property
    def content(self) -> bytes | None:
        if self.body is None:
            return None
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def mutated(body: Any) -> Iterator[tuple[str, Any]]:
    """The body with each of its nodes deleted, given another type, made null, and renamed, one at a time."""
    yield "as printed", body
    for steps in nodes(body):
        place = "/".join(map(str, steps))
        yield f"/{place} deleted", without(body, steps)
        yield f"/{place} retyped", replaced(body, steps, of_another_type)
        yield f"/{place} null", replaced(body, steps, lambda _: None)
        if isinstance(steps[-1], str):
            yield f"/{place} renamed", renamed(body, steps)


def nodes(value: Any, steps: Steps = ()) -> Iterator[Steps]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield (*steps, step)
        yield from nodes(child, (*steps, step))


def parent_of(body: Any, steps: Steps) -> Any:
    for step in steps[:-1]:
        body = body[step]
    return body


def without(body: Any, steps: Steps) -> Any:
    body = copy.deepcopy(body)
    del parent_of(body, steps)[steps[-1]]
    return body


def replaced(body: Any, steps: Steps, change: Any) -> Any:
    body = copy.deepcopy(body)
    parent = parent_of(body, steps)
    parent[steps[-1]] = change(parent[steps[-1]])
    return body


def renamed(body: Any, steps: Steps) -> Any:
    body = copy.deepcopy(body)
    parent = parent_of(body, steps)
    parent[f"{steps[-1]}Renamed"] = parent.pop(steps[-1])
    return body


def of_another_type(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return str(value)
    return {str: 7, dict: [value], list: {"element": value}}.get(type(value), "text")


def creations() -> Iterator[Call]:
    bodies = (
        (LEADS, "tmf699-create-request"),
        (QUOTES, "tmf648-create-request"),
        (QUOTES, "tmf648-instantsync-request"),
    )
    for path, name in bodies:
        for change, body in mutated(sample(name)):
            yield Call(f"POST {name} {change}", "POST", path, body, {"Content-Type": JSON})


def whole_resources() -> Iterator[Call]:
    """What the specifications print as an answer, sent back to create: it has members that may not be sent."""
    for path, name in ((LEADS, "tmf699-salesLead-resource"), (QUOTES, "tmf648-quote-resource")):
        for change, body in mutated(sample(name)):
            yield Call(f"POST {name} {change}", "POST", path, body, {"Content-Type": JSON})


def patches() -> Iterator[Call]:
    kinds = (
        (LEADS, "tmf699-mergepatch-request", {"name": "Campaign 17 salesLead 7852", "status": "inProgress"}),
        (QUOTES, "tmf648-mergepatch-request", sample("tmf648-create-request")),
    )
    for path, name, made_of in kinds:
        for change, body in mutated(sample(name)):
            for media in (MERGE_PATCH, JSON):
                call = f"PATCH {name} as {media} {change}"
                yield Call(call, "PATCH", f"{path}/{{id}}", body, {"Content-Type": media}, made_of)
