"""A server that is wrong in one way: our own, with one answer, one request or one event changed on its way."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Document = dict[str, Any]
RELAY = "/relay"


class Bodied:
    """What has a body of JSON, and a header that says how long it is."""

    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The parsed body; None when there is none, or no JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    @body.setter
    def body(self, value: Any) -> None:
        self.content = json.dumps(value).encode()
        self.headers["content-length"] = str(len(self.content))


@dataclass(slots=True)
class Call(Bodied):
    """A request. `target`: list, one, hub, listener or other; `id` as it is in the path, decoded."""

    method: str
    path: str
    base: str
    query: str
    headers: dict[str, str]
    content: bytes
    resource: str

    @property
    def target(self) -> str:
        parts = self.path.removeprefix(self.base).strip("/").split("/")
        if parts[0] not in {self.resource, "hub"} or len(parts) > 2:
            return "other"
        return {self.resource: ("list", "one"), "hub": ("hub", "listener")}[parts[0]][len(parts) - 1]

    @property
    def id(self) -> str:
        return unquote(self.path.rpartition("/")[2])

    @property
    def document(self) -> Document:
        """The body when it is an object, else an empty one."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def pairs(self) -> list[str]:
        """The pieces of the query string, as they are in it."""
        return self.query.split("&") if self.query else []

    @pairs.setter
    def pairs(self, pieces: list[str]) -> None:
        self.query = "&".join(pieces)

    @property
    def names(self) -> list[str]:
        return [unquote(pair.partition("=")[0]) for pair in self.pairs]

    @property
    def what(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(slots=True)
class Reply(Bodied):
    """An answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def edit(self, change: Callable[[Document], object]) -> None:
        """Change the object that the body is, or each one in its list."""
        if not self.content:
            return
        body = self.body
        for each in body if isinstance(body, list) else [body]:
            if isinstance(each, dict):
                change(each)
        self.body = body


@dataclass(slots=True)
class Memory:
    """What a mutant knows of what has happened."""

    states: dict[str, str] = field(default_factory=dict)
    pretended: dict[str, Document] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    bodies: list[Document] = field(default_factory=list)  # what was created, in its order
    replies: list[Reply] = field(default_factory=list)  # and what was answered
    versions: dict[str, int] = field(default_factory=dict)
    callbacks: list[str] = field(default_factory=list)
    marked: set[str] = field(default_factory=set)


Before = Callable[[Call, Memory], Reply | None]
After = Callable[[Call, Reply, Memory], Reply | None]
OnEvent = Callable[[str, Document, Memory], list[tuple[str, Document]]]


def untouched(*_: Any) -> None:
    return None


def delivered(path: str, event: Document, _: Memory) -> list[tuple[str, Document]]:
    return [(path, event)]


@dataclass(slots=True)
class Mutant:
    """`before` changes a request, or answers it at once; `after` changes an answer (it gets the request as it came);
    `event` says which events are posted where instead of one.
    """

    before: Before = untouched
    after: After = untouched
    event: OnEvent = delivered


RIGHT = Mutant()


class Wrapped:
    """The application, wrong as the mutant at hand says. Events are posted to RELAY/..., and go on to `listener`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.mutant = RIGHT
        self.memory = Memory()
        self.base = ""
        self.resource = ""
        self.listener = ""

    def become(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.memory = Memory()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = await self._read(scope, receive)
        if call.path.startswith(RELAY):
            reply = await self._relayed(call)
        else:
            reply = await self._answered(scope, call)
        headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.content})

    async def _read(self, scope: Scope, receive: Receive) -> Call:
        content = b""
        while True:
            message = await receive()
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        headers.pop("accept-encoding", None)  # mutants change bodies, which must not be compressed
        path = scope["raw_path"].decode("ascii").partition("?")[0]
        return Call(scope["method"], path, self.base, scope["query_string"].decode(), headers, content, self.resource)

    async def _answered(self, scope: Scope, call: Call) -> Reply:
        asked = Call(call.method, call.path, call.base, call.query, dict(call.headers), call.content, call.resource)
        reply = self.mutant.before(call, self.memory)
        if reply is None:
            reply = await self._inner(scope, call)
        changed = self.mutant.after(asked, reply, self.memory) or reply
        self._remember(asked, changed)
        return changed

    def _remember(self, call: Call, reply: Reply) -> None:
        body, memory = reply.body, self.memory
        if call.what in {"POST list", "POST hub"}:
            memory.bodies.append(call.document)
            memory.replies.append(Reply(reply.status, dict(reply.headers), reply.content))
        if call.method == "POST" and call.target == "hub" and reply.is_success:
            memory.callbacks.append(str(call.document.get("callback")))
        if call.method == "DELETE" and reply.is_success:
            memory.deleted.append(call.path)
        if isinstance(body, dict) and reply.is_success and call.target in {"one", "list"}:
            id = str(body.get("id"))
            memory.states[id] = str(body.get("state", body.get("status")))
            memory.versions[id] = memory.versions.get(id, 0) + (call.what == "POST list")

    async def _inner(self, scope: Scope, call: Call) -> Reply:
        sent = False
        reply = Reply(500, {}, b"")

        async def receive() -> Message:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": call.content, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            else:
                reply.content += message.get("body", b"")

        changed = dict(scope) | {
            "method": call.method,
            "raw_path": call.path.encode(),
            "path": unquote(call.path),
            "query_string": call.query.encode(),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in call.headers.items()],
        }
        await self._app(changed, receive, send)
        return reply

    async def _relayed(self, call: Call) -> Reply:
        place = call.path.removeprefix(RELAY)
        if not self.listener:  # that of an earlier run is no longer there
            return Reply(204, {}, b"")
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:  # noqa: S501 - quick, and no TLS
            for path, event in self.mutant.event(place, call.document, self.memory):
                with contextlib.suppress(httpx.HTTPError, AttributeError):  # it may end just now
                    await client.post(f"{self.listener}{path}", json=event)
        return Reply(204, {}, b"")
