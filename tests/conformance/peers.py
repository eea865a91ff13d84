"""Servers as they are in the field: each lacks one feature that is left to it, or answers in a way of its own.

`checks` are the checks that look at it, by the start of their ids, each with the verdict it must have. `failures` are
the mandatory checks that fail, and rightly so: one for a defect, and none for something that is optional.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.mutant import Call, Document, Memory, Mutant, Reply
from tests.conformance.mutations import (
    MERGE,
    answer,
    body_becomes,
    edited,
    has,
    into_a_read,
    lacks,
    no_query,
    refused,
    request,
    status,
    without_header,
)

from tmf_conformance.outcome import Verdict
from tmf_conformance.profile import SPECIFICATION, TMF648B, Profile

FAILED, NOT_RUN, NOT_SUPPORTED, PASSED = Verdict.FAILED, Verdict.NOT_RUN, Verdict.NOT_SUPPORTED, Verdict.PASSED


@dataclass(frozen=True, slots=True)
class Peer:
    """One row of the table."""

    name: str
    server: Mutant
    checks: Mapping[str, Verdict]
    failures: frozenset[str] = frozenset()
    apis: tuple[str, ...] = ("tmf648", "tmf699")
    profile: Profile = SPECIFICATION
    hints: bool = False
    remaining: bool = field(default=False)


QUOTES = ("tmf648",)


def peers() -> Iterator[Peer]:
    yield from without_json_patch()
    yield from without_hub()
    yield from without_versions()
    yield from without_queries()
    yield from with_other_responses()
    yield from with_other_values()
    yield from of_profile()


def is_json_patch(call: Call, _: Memory) -> bool:
    return "json-patch" in call.headers.get("content-type", "")


def with_query_in_path(call: Call, memory: Memory) -> bool:
    operations = call.body if isinstance(call.body, list) else []
    return is_json_patch(call, memory) and any("?" in str(each.get("path")) for each in operations)


def without_json_patch() -> Iterator[Peer]:
    lacking = {"json-patch": NOT_SUPPORTED}
    for number in (400, 404, 405, 406, 409, 415, 422, 500, 501):
        server = request("PATCH one", refused(number), is_json_patch)
        yield Peer(f"JSON Patch is answered with {number}", server, lacking)
    yield Peer("JSON Patch is accepted and ignored", request("PATCH one", into_a_read, is_json_patch), lacking)
    plain = {"json-patch-query": NOT_SUPPORTED, "quote-patch-by-query": NOT_SUPPORTED, "json-patch-add": PASSED}
    for number in (400, 422):
        server = request("PATCH one", refused(number), with_query_in_path)
        yield Peer(f"a query in JSON Patch is answered with {number}", server, plain, apis=QUOTES)


def of_hub(call: Call, _: Memory) -> bool:
    return call.target in {"hub", "listener"}


def answered(reply_status: int, *targets: str) -> Mutant:
    """Any request to such a target is answered with this status."""

    def before(call: Call, memory: Memory) -> Reply | None:
        return refused(reply_status)(call) if call.target in targets else None

    return Mutant(before=before)


def without_hub() -> Iterator[Peer]:
    for number in (403, 404, 405, 501):
        server = answered(number, "hub", "listener")
        yield Peer(f"/hub is answered with {number}", server, {"hub-": NOT_RUN, "event-": NOT_RUN})
    unread = request("GET listener", refused(405))
    yield Peer("registrations cannot be read", unread, {"hub-retrieve": NOT_SUPPORTED, "hub-register-body": PASSED})
    unlisted = request("GET hub", refused(405))
    yield Peer("registrations are not listed", unlisted, {"hub-list": NOT_SUPPORTED})
    empty = answer("POST hub", status(204))
    bodiless = {"hub-register": PASSED, "hub-register-": NOT_SUPPORTED}
    yield Peer("a registration is answered with 204 and nothing else", empty, bodiless)
    yield Peer("there can be one listener", one_listener(), {"hub-several": PASSED, "event-Create": PASSED})


def one_listener() -> Mutant:
    def before(call: Call, memory: Memory) -> Reply | None:
        registered = [reply for reply in memory.replies if isinstance(reply.body, dict) and "callback" in reply.body]
        gone = {path.rpartition("/")[2] for path in memory.deleted}
        if call.what == "POST hub" and any(reply.body["id"] not in gone for reply in registered):
            return refused(409)(call)
        return None

    return Mutant(before=before)


def next_version(call: Call, _: Memory) -> bool:
    return "id" in call.document and "version" in call.document


def by_directive(call: Call, _: Memory) -> bool:
    return ":(version=" in call.path


def without_versions() -> Iterator[Peer]:
    lacking = {"version-": NOT_SUPPORTED}
    for number in (400, 409, 422, 500, 501):
        server = request("POST list", refused(number), next_version)
        yield Peer(f"another version is answered with {number}", server, lacking, apis=QUOTES)
    own_id = body_becomes(lambda body: {name: value for name, value in body.items() if name != "id"})
    ignored = request("POST list", own_id, next_version)
    yield Peer("the id of another version is ignored", ignored, lacking, apis=QUOTES)
    replaced = {"version-differs": NOT_SUPPORTED, "version-list": NOT_SUPPORTED, "version-retrieve": NOT_SUPPORTED}
    yield Peer("another version replaces the quote", replacing(), replaced, apis=QUOTES)
    unknown = Mutant(before=lambda call, memory: refused(404)(call) if by_directive(call, memory) else None)
    directive = {"version-retrieve": NOT_SUPPORTED, "version-patch-one": NOT_SUPPORTED, "version-create": PASSED}
    yield Peer("the directive of a version is unknown", unknown, directive, apis=QUOTES)
    yield Peer("older versions are hidden", hiding(), {"version-list": NOT_SUPPORTED}, apis=QUOTES)


def replacing() -> Mutant:
    def before(call: Call, memory: Memory) -> None:
        if call.what == "POST list" and next_version(call, memory):
            call.method, call.path = "PATCH", f"{call.path}/{call.document['id']}"
            call.headers["content-type"] = MERGE
            call.body = {"version": call.document["version"]}

    def after(call: Call, reply: Reply, memory: Memory) -> None:
        if call.what == "POST list" and next_version(call, memory) and reply.is_success:
            reply.status = 201

    return Mutant(before=before, after=after)


def hiding() -> Mutant:
    def after(call: Call, reply: Reply, memory: Memory) -> None:
        if call.what == "GET list" and "id" in call.names and reply.is_success:
            reply.body = [each for each in reply.body if each.get("version") == "2"]

    return Mutant(after=after)


PAGING = {"limit", "offset"}
KNOWN = {"fields", "sort", "filter"} | PAGING


def ignoring(*names: str) -> Mutant:
    """A list that ignores these parameters; without names, all filters."""

    def strip(call: Call) -> None:
        pairs = zip(call.pairs, call.names, strict=True)
        call.pairs = [pair for pair, name in pairs if (name not in names if names else name in KNOWN)]

    return request("GET list", strip)


def rejecting(*names: str) -> Mutant:
    """A list that rejects these parameters; without names, all filters."""
    return request(
        "GET list",
        refused(400),
        lambda call, _: any((name in names) if names else (name not in KNOWN) for name in call.names),
    )


def without_queries() -> Iterator[Peer]:
    yield Peer("filters are ignored", ignoring(), {"filter-and": FAILED, "page-offset": PASSED})
    yield Peer("filters are rejected", rejecting(), {"filter-and": NOT_SUPPORTED, "page-limit": NOT_RUN})
    yield Peer("pages are ignored", ignoring(*PAGING), {"list-has-created": PASSED})
    yield Peer("pages are rejected", rejecting(*PAGING), {"page-limit": NOT_SUPPORTED})
    yield Peer("sort is ignored", ignoring("sort"), {"sort-ascending": FAILED})
    yield Peer("sort is rejected", rejecting("sort"), {"sort-": NOT_SUPPORTED})
    nothing = request("GET list", lambda call: setattr(call, "query", "id=none"), is_a_group)
    empty = {"page-offset": NOT_RUN, "page-cover": NOT_RUN}
    lists = frozenset({"version-list-all"})
    yield Peer("every search is empty", nothing, empty, lists, QUOTES)


def is_a_group(call: Call, _: Memory) -> bool:
    return bool(call.names) and "offset" not in call.names[:1]


def emptied(reply: Reply) -> None:
    reply.content = b""
    reply.headers["content-length"] = "0"


def with_other_responses() -> Iterator[Peer]:
    ok = answer("POST list", status(200))
    created = frozenset({"create-answers-201"})
    yield Peer(
        "every creation is answered with 200",
        ok,
        {"version-create": PASSED, "quote-instant-prices": NOT_SUPPORTED},
        created,
    )
    accepted = answer("POST list", status(202))
    yield Peer("every creation is answered with 202", accepted, {"version-create": PASSED}, created)
    bodiless = answer("POST list", emptied, lacks("instantSyncQuote"))
    yield Peer("a creation is answered without a body", bodiless, {"create-gives-id": PASSED})
    silent = answer("PATCH one", status(204))
    patched = frozenset({"patch-answers-200"})
    yield Peer("a patch is answered with 204", silent, {"patch-answers-whole": NOT_RUN}, patched)
    removed = frozenset({"delete-answers-204"})
    yield Peer(
        "a deletion is answered with 200", answer("DELETE one", status(200)), {"delete-removes": PASSED}, removed
    )
    yield Peer("there is no Location", answer("POST list", without_header("location")), {"create-gives-id": PASSED})
    yield Peer("there is no ETag", untagged(), {"etag-": NOT_SUPPORTED})
    members = edited(lambda document: document.update({"vendorMember": {"any": 1}}))
    yield Peer("there are members of a vendor", answer("GET one", members, no_query), {"retrieve-types": PASSED})
    nulls = edited(lambda document: document.setdefault("agreement", None))
    yield Peer("missing members are null", answer("GET one", nulls), {"retrieve-types": PASSED})
    unpriced = request("POST list", refused(422), has("instantSyncQuote", True))
    yield Peer("an instant quote is rejected", unpriced, {"quote-instant": NOT_SUPPORTED}, apis=QUOTES)
    later = body_becomes(lambda body: body | {"instantSyncQuote": False})
    no_price = request("POST list", later, has("instantSyncQuote", True))
    yield Peer("an instant quote is priced later", no_price, {"quote-instant-prices": NOT_SUPPORTED}, apis=QUOTES)


def untagged() -> Mutant:
    def before(call: Call, memory: Memory) -> None:
        for name in ("if-match", "if-none-match"):
            call.headers.pop(name, None)

    def after(call: Call, reply: Reply, memory: Memory) -> None:
        reply.headers.pop("etag", None)

    return Mutant(before=before, after=after)


MEDIA = ("contactMedium", "prospectContact")


def has_other_medium(call: Call, _: Memory) -> bool:
    found = [each for name in MEDIA for each in call.document.get(name) or () if isinstance(each, dict)]
    return any(each.get("mediumType") != "EMAIL" for each in found)


def refused_medium(call: Call, memory: Memory) -> Reply | None:
    return refused(400)(call) if call.method in {"POST", "PATCH"} and has_other_medium(call, memory) else None


def forgets(*names: str) -> Mutant:
    """Attributes that are not stored at creation."""

    def forget(call: Call) -> None:
        if call.document:
            call.body = {name: value for name, value in call.document.items() if name not in names}

    return request("POST list", forget)


def with_other_values() -> Iterator[Peer]:
    unusual = {"filter-and": NOT_RUN, "create-keeps-attributes": NOT_RUN, "patchable-contactMedium": NOT_RUN}
    yield Peer("the types of media are other ones", Mutant(before=refused_medium), unusual, apis=QUOTES, hints=True)
    catalog = request("POST list", refused(422), lambda call, _: "54gg-zza1" in str(call.content))
    items = {"create-": NOT_RUN, "delete-removes": NOT_RUN}
    yield Peer(
        "the catalogue has other offerings", catalog, items, frozenset({"create-answers-201"}), QUOTES, hints=True
    )
    lost = {"merge-patch-null-removes": NOT_RUN, "json-patch-remove": NOT_RUN, "json-patch-move": NOT_RUN}
    kept = frozenset({"create-keeps-attributes", "retrieve-keeps-attributes"})
    yield Peer("an attribute is not stored", forgets("category", "type"), lost, kept)
    parties = {"merge-patch-replaces-arrays": NOT_RUN, "json-patch-add": NOT_RUN}
    yield Peer("parties are not stored", forgets("relatedParty"), parties, kept)
    nested = {"merge-patch-nested": NOT_RUN}
    yield Peer("objects are not stored", forgets("validFor", "estimatedRevenue"), nested, kept)


def of_profile() -> Iterator[Peer]:
    """TMF648B makes PATCH, DELETE, versions and notifications optional."""
    for number in (404, 405, 501):
        unpatched = request("PATCH one", refused(number))
        patch = {"merge-patch": NOT_SUPPORTED, "state-": NOT_SUPPORTED, "json-patch": NOT_SUPPORTED}
        yield Peer(f"no PATCH: {number}", unpatched, patch, apis=QUOTES, profile=TMF648B)
        undeleted = request("DELETE one", refused(number))
        yield Peer(
            f"no DELETE: {number}", undeleted, {"delete-": NOT_SUPPORTED}, apis=QUOTES, profile=TMF648B, remaining=True
        )
    wrong = request("PATCH one", refused(400))
    yield Peer("every PATCH is rejected", wrong, {"patch-answers-200": FAILED}, apis=QUOTES, profile=TMF648B)
    yield Peer(
        "nothing but POST and GET",
        Mutant(before=only_create_and_read),
        {"merge-patch": NOT_SUPPORTED, "delete-": NOT_SUPPORTED, "hub-": NOT_RUN, "version-create": NOT_SUPPORTED},
        apis=QUOTES,
        profile=TMF648B,
        remaining=True,
    )


def only_create_and_read(call: Call, memory: Memory) -> Reply | None:
    if call.method not in {"GET", "POST"} or call.target in {"hub", "listener"}:
        return refused(405)(call)
    return refused(400)(call) if call.what == "POST list" and next_version(call, memory) else None


def ignores_null(call: Call) -> Any:
    """A merge patch in which null has no effect."""
    document: Document = call.document
    if None in document.values():
        call.body = {name: value for name, value in document.items() if value is not None} or {"description": "same"}
