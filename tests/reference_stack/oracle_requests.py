"""The requests that both stacks are asked: the printed samples, and mutations of each of their nodes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
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
    chunked: bool = False

    @property
    def content(self) -> bytes | None:
        if self.body is None:
            return None
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def mended(value: Any) -> Any:
    """The value without the misprints that the contract forgives (x-lenient)."""
    if isinstance(value, list):
        return [mended(element) for element in value]
    if not isinstance(value, dict):
        return value
    kept = {name: mended(member) for name, member in value.items() if not (name in DATES and member == "")}
    if isinstance(text := kept.get("preferred"), str):
        kept["preferred"] = TEXTS.get(text, text)
    return kept


def without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [without_nulls(element) for element in value]
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(member) for name, member in value.items() if member is not None}


DATES = ("startDateTime", "endDateTime")
TEXTS = {"true": True, "false": False}


def mutated(body: Any) -> Iterator[tuple[str, Any]]:
    """The body with each of its nodes deleted, given another type, made null, and renamed, one at a time."""
    yield "without misprints", body
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
    if isinstance(value, str):
        return 7
    return [value] if isinstance(value, dict) else {"element": value}


def creations() -> Iterator[Call]:
    bodies = (
        (LEADS, "tmf699-create-request"),
        (QUOTES, "tmf648-create-request"),
        (QUOTES, "tmf648-instantsync-request"),
    )
    for path, name in bodies:
        yield Call(f"POST {name} as printed", "POST", path, sample(name), {"Content-Type": JSON})
        for change, body in mutated(mended(sample(name))):
            yield Call(f"POST {name} {change}", "POST", path, body, {"Content-Type": JSON})


def whole_resources() -> Iterator[Call]:
    """What the specifications print as the whole resource, sent back to create: it has members that may not be sent."""
    for path, name in ((LEADS, "tmf699-salesLead-resource"), (QUOTES, "tmf648-quote-resource")):
        yield Call(f"POST {name} as printed", "POST", path, sample(name), {"Content-Type": JSON})
        for member in sample(name):
            body = mended(sample("tmf648-create-request" if path == QUOTES else "tmf699-create-request"))
            body[member] = mended(sample(name)[member])
            yield Call(f"POST /{member} of {name}", "POST", path, body, {"Content-Type": JSON})


def patches() -> Iterator[Call]:
    lead = {"name": "Campaign 17 salesLead 7852", "status": "inProgress"}
    quote, whole = sample("tmf648-create-request"), sample("tmf648-quote-resource")
    priced = {"authorization": whole["authorization"], "quoteTotalPrice": whole["quoteItem"][0]["quoteItemPrice"]}
    priced |= {"quoteItem": [{**item, "state": "inProgress"} for item in whole["quoteItem"][:1]]}
    kinds = (
        (LEADS, "the printed patch", sample("tmf699-mergepatch-request"), lead),
        (LEADS, "every member", {**sample("tmf699-create-request"), "status": "pending"}, lead),
        (QUOTES, "the printed patch", sample("tmf648-mergepatch-request"), quote),
        (QUOTES, "the seller's prices", priced, quote),
    )
    for path, name, patch, made_of in kinds:
        for change, body in mutated(mended(patch)):
            call = f"PATCH {path} with {name} {change}"
            yield Call(call, "PATCH", f"{path}/{{id}}", body, {"Content-Type": MERGE_PATCH}, made_of)
        call = f"PATCH {path} with {name} as printed and plain JSON"
        yield Call(call, "PATCH", f"{path}/{{id}}", patch, {"Content-Type": JSON}, made_of)


def reads() -> Iterator[Call]:
    """Queries, ids, conditions and routes, right and wrong ones."""
    lead, quote = {"name": "Campaign 17 salesLead 7852"}, {"quoteItem": [{"action": "add"}]}
    for path, made_of in ((LEADS, lead), (QUOTES, quote)):
        yield from queries(path, made_of)
        yield from ids(path)
        yield from conditions(path, made_of)
        for method in ("PUT", "TRACE", "DELETE", "PATCH", "OPTIONS"):
            yield Call(f"{method} {path}", method, path)
        for method in ("PUT", "POST", "TRACE", "HEAD", "OPTIONS"):
            yield Call(f"{method} one of {path}", method, f"{path}/{{id}}", made_of=made_of)
    for path in ("/nothing", "/tmf-api/nothing", "/tmf-api/sales/v4", "/tmf-api/sales/v4/nothing", f"{LEADS}/1/2"):
        yield Call(f"GET {path}", "GET", path)


def queries(path: str, made_of: Any) -> Iterator[Call]:
    for query in QUERIES:
        for method in ("GET", "HEAD"):
            yield Call(f"{method} {path}?{query}", method, f"{path}?{query}")
        yield Call(f"GET one of {path}?{query}", "GET", f"{path}/{{id}}?{query}", made_of=made_of)
        yield Call(f"POST {path}?{query}", "POST", f"{path}?{query}", made_of, {"Content-Type": JSON})


def ids(path: str) -> Iterator[Call]:
    for id in IDS:
        yield Call(f"GET {path}/{id}", "GET", f"{path}/{id}")
        yield Call(f"DELETE {path}/{id}", "DELETE", f"{path}/{id}")
        yield Call(f"PATCH {path}/{id}", "PATCH", f"{path}/{id}", b"{}", {"Content-Type": MERGE_PATCH})


def conditions(path: str, made_of: Any) -> Iterator[Call]:
    for headers in HEADERS:
        own = {"Content-Type": MERGE_PATCH, **headers}
        yield Call(f"GET {path} {headers}", "GET", f"{path}/{{id}}", None, headers, made_of)
        yield Call(f"DELETE {path} {headers}", "DELETE", f"{path}/{{id}}", None, headers, made_of)
        yield Call(f"PATCH {path} {headers}", "PATCH", f"{path}/{{id}}", b"{}", own, made_of)


QUERIES = [
    "limit=5",
    "limit=0",
    "limit=-1",
    "limit=1001",
    "limit=x",
    "limit=",
    "limit=1.0",
    "limit=+1",
    "limit=5&limit=6",
    "offset=1",
    "offset=-1",
    "offset=99999999999999999999",
    "fields=none",
    "fields=id,name",
    "fields=a..b",
    "fields=",
    "fields=%20id",
    "fields=id&fields=name",
    "state=inProgress",
    "status=acknowledged",
    "state=nothing",
    "id=1",
    "id=1&version=1",
    "relatedParty.id=1",
    "nothing=1",
    "%FF=1",
    "name=%E2%82%AC",
    "description=a,b",
    "description=a%2Cb",
    "criteria=1",
    "sort=name",
    "q=%00",
]
IDS = [
    "1",
    "%20",
    "a%20b",
    "a%2Fb",
    "a%FF",
    "%E2%82%AC",
    "a:(version=1.0)",
    "a(Version=1)",
    "a:(version=x)",
    "a;b",
    "a+b",
    "a%3Fb",
    "a%00b",
    ".",
    "..",
    "~",
]
IDS += ["x" * 300, "x" * 301]
HEADERS: tuple[dict[str, str], ...] = (
    {"Accept": "application/json"},
    {"Accept": "text/html"},
    {"Accept": "text/html, */*;q=0.1"},
    {"Accept": "application/json;q=0"},
    {"If-Match": '"1"'},
    {"If-Match": '"2"'},
    {"If-Match": "*"},
    {"If-None-Match": '"1"'},
    {"If-None-Match": 'W/"1", "7"'},
    {"If-None-Match": "*"},
    {"X-Correlation-ID": "abc"},
    {"X-Correlation-ID": "x" * 256},
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/json"},
    {"Content-Type": "application/json; charset=utf-8"},
    {"Content-Type": "application/json; charset=latin-1"},
    {"Content-Type": "Application/JSON"},
    {"Content-Type": "application/xml"},
    {"Content-Encoding": "gzip"},
)


def odd_bodies() -> Iterator[Call]:
    """Bodies that are no JSON, or JSON that cannot be kept."""
    for name, body in ODD_BODIES.items():
        yield Call(f"a body that {name}", "POST", LEADS, body, {"Content-Type": JSON})
    yield Call("a body without Content-Type", "POST", LEADS, {"name": "x"})
    yield Call("a chunked body", "POST", LEADS, {"name": "x"}, {"Content-Type": JSON}, chunked=True)


ODD_BODIES: dict[str, bytes] = {
    "is empty": b"",
    "is blank": b"  ",
    "is null": b"null",
    "is a list": b"[]",
    "is a text": b'"name"',
    "is an empty object": b"{}",
    "ends too early": b'{"name":',
    "has a comma too many": b'{"name":"x",}',
    "has a comment": b'{"name":"x"} // no',
    "starts with a byte order mark": b'\xef\xbb\xbf{"name":"x"}',
    "is not UTF-8": b'{"name":"\xff"}',
    "is UTF-16": '{"name":"x"}'.encode("utf-16"),
    "has NaN": b'{"name":"x","estimatedRevenue":{"value":NaN}}',
    "has Infinity": b'{"name":"x","estimatedRevenue":{"value":-Infinity}}',
    "has 1e400": b'{"name":"x","estimatedRevenue":{"value":1e400}}',
    "has 1e15": b'{"name":"x","estimatedRevenue":{"value":1e15}}',
    "has 2^53": b'{"name":"x","extra":9007199254740992}',
    "has 5,000 digits": b'{"name":"x","extra":%b}' % (b"1" * 5000),
    "has a name twice": b'{"name":"x","name":"y"}',
    "has a lone surrogate": b'{"name":"\\ud800"}',
    "has a name with a dollar": b'{"name":"x","$where":1}',
    "has a name with a dot": b'{"name":"x",".a":1}',
    "has a name with NUL": b'{"name":"x","a\\u0000":1}',
    "has a text with NUL": b'{"name":"x\\u0000"}',
    "is 70 deep": b'{"name":"x","extra":%b}' % (b"[" * 70 + b"]" * 70),
    "is 5,000 deep": b'{"name":"x","extra":%b}' % (b"[" * 5000 + b"]" * 5000),
}


def listeners() -> Iterator[Call]:
    yield Call("a listener", "POST", HUB, {"callback": "http://in.listener.com/oracle"}, {"Content-Type": JSON})
    yield Call("the same listener", "POST", HUB, {"callback": "http://in.listener.com/oracle"}, {"Content-Type": JSON})
    example = {"callback": "http://in.listener.com/other", "query": "eventType=SalesLeadCreateEvent"}
    for change, body in mutated(example):
        yield Call(f"POST {HUB} {change}", "POST", HUB, body, {"Content-Type": JSON})
    for callback in ("", "no uri", "/relative", "ftp://in.listener.com", "http://127.0.0.1/", "http://[::1]/"):
        yield Call(f"a listener at {callback!r}", "POST", HUB, {"callback": callback}, {"Content-Type": JSON})
    for query in ("", "a..b=1", "limit=1", "event.nothing=1"):
        body = {"callback": "http://in.listener.com/query", "query": query}
        yield Call(f"a listener that asks {query!r}", "POST", HUB, body, {"Content-Type": JSON})
    yield Call("the listeners", "GET", HUB)
    for method in ("GET", "DELETE", "PATCH"):
        yield Call(f"{method} an unknown listener", method, f"{HUB}/1")


GROUPS: dict[str, Callable[[], Iterator[Call]]] = {
    "creations": creations,
    "whole resources": whole_resources,
    "patches": patches,
    "reads": reads,
    "odd bodies": odd_bodies,
    "listeners": listeners,
}
