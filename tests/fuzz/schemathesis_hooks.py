"""What Schemathesis has to know of the APIs: how to write their query language, and which of its checks do not apply.

Valid data keeps rules that OpenAPI 3.0 cannot state: each is one function here that makes a generated case keep it, so
that no check need be disabled. What the service forgives on purpose is a hook that lets that one failure go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import schemathesis
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.generation.meta import CoveragePhaseData
from tests.reference_stack.oracle_requests import mended

AnyCase = Case[Any]

# The formats that the contracts name ----------------------------------------------------------------------------------

NAMES = ("id", "description", "validFor.startDateTime", "@type", "@schemaLocation")
TEXTS = st.text(st.characters(codec="ascii", categories=("L", "N", "Zs")), max_size=8)
CRITERIA_OPERATORS = (
    *("", ".eq", ".ne", ".in", ".nin", ".gt", ".lte", ".contains", ".startswith", ".endswith"),
    *(".eqi", ".nei", ".ini", ".nini", ".containsi", ".startswithi", ".endswithi"),
)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")

STORED_NAMES = (*NAMES, '"xml:lang"', '"1st"', 'x."a.b"', '"say ""hi"""', "unknown")

EXPANDED = ("relatedParty", '"xml:lang"', 'x."a.b"', '"unknown"')

sort_keys = st.builds("{}{}".format, st.sampled_from(("", "-", "+")), st.sampled_from(STORED_NAMES))
comparisons = st.builds(
    "@{}{}'{}'".format,
    st.sampled_from((".id", ".name", ".role", "['id']", "['xml:lang']", "['a.b'].x")),
    st.sampled_from(COMPARISONS),
    TEXTS,
)
conditions = st.builds(str.join, st.sampled_from((" && ", " || ")), st.lists(comparisons, min_size=1, max_size=3))

# Of an event, only what some event of the API can have may be named. No format knows for which API it generates: a rule
# puts the API's resource in place of `resource` and `Resource`.
EVENT_TEXTS = ("eventId", "correlationId", "description", "domain", "fieldPath", "priority", "title")
EVENT_CHANGES = ("Create", "AttributeValueChange", "StateChange", "Delete")

event_names = st.sampled_from((*EVENT_TEXTS, "eventTime", "event", "event.resource.id", "event.resource.unknown"))
event_comparisons = st.builds(
    "@.{}{}'{}'".format,
    st.sampled_from((*EVENT_TEXTS, "event.resource.id")),
    st.sampled_from(COMPARISONS),
    TEXTS,
)
event_conditions = st.builds(
    str.join, st.sampled_from((" && ", " || ")), st.lists(event_comparisons, min_size=1, max_size=3)
)
event_criteria = st.builds("{}={}".format, st.sampled_from((*EVENT_TEXTS, "event.resource.id")), TEXTS)
event_types = st.sampled_from(EVENT_CHANGES).map("eventType=Resource{}Event".format)
event_queries = st.builds(
    lambda criteria, types: "&".join([*criteria, *types]),
    st.lists(event_criteria, min_size=1, max_size=3),
    st.lists(event_types, max_size=2),
)

schemathesis.openapi.format("tmf630-sort", st.lists(sort_keys, min_size=1, max_size=3).map(",".join))
schemathesis.openapi.format(
    "tmf630-fields", st.lists(st.sampled_from((*STORED_NAMES, "none")), min_size=1, max_size=4).map(", ".join)
)
schemathesis.openapi.format("tmf630-expand", st.lists(st.sampled_from(EXPANDED), min_size=1, max_size=3).map(", ".join))
schemathesis.openapi.format("tmf630-filter", conditions.map("relatedParty[?({})]".format))
schemathesis.openapi.format("tmf630-trim", conditions.map("note[?({})]".format))
schemathesis.openapi.format("tmf630-event-fields", st.lists(event_names, min_size=1, max_size=4).map(", ".join))
schemathesis.openapi.format("tmf630-event-filter", event_conditions.map("$[?({})]".format))
schemathesis.openapi.format("tmf630-event-query", event_queries)

patch_paths = st.sampled_from(
    ("/description", "/note/0/text", "/relatedParty/-", "/note?id=1", "note[?(@.id=='1')].text")
)

schemathesis.openapi.format("tmf630-patch-path", patch_paths | TEXTS.map("/x{}".format))

# Rules of valid data that a contract cannot state ---------------------------------------------------------------------

Hook = Callable[[AnyCase], None]
H = TypeVar("H", bound=Hook)
RULES: list[Hook] = []
EVENTS = "/event"


def rule(hook: H) -> H:
    """Registers what makes a valid case keep one more rule, in place."""
    RULES.append(hook)
    return hook


@schemathesis.hook
def map_case(context: HookContext, case: AnyCase) -> AnyCase:
    shorten_the_request_line(case)
    if case.meta is None or case.meta.generation.mode.is_positive:
        for keep in RULES:
            keep(case)
    return case


def shorten_the_request_line(case: AnyCase) -> None:
    """Beyond 64 KiB it is no HTTP to the server, which says so in plain text; the service itself takes 8 KiB."""
    if case.query and len(urlencode(case.query, doseq=True)) > 32 * 1024:
        case.query = {name: value for name, value in case.query.items() if len(str(value)) < 100}


@rule
def the_condition_holds(case: AnyCase) -> None:
    """If-Match names the current entity tag, which no generator can know (RFC 9110, 13.1.1); `*` stands for any."""
    if case.headers and "If-Match" in case.headers:
        case.headers["If-Match"] = "*"


@rule
def open_filters_are_criteria(case: AnyCase) -> None:
    """OpenAPI 3.0 has no rule for the names of an open-ended object; TMF630 reads operators in them, and in values.

    A filter on events names what an event of the API can have; any other name is 400.
    """
    declared = {parameter.name for parameter in case.operation.query}
    for name in [name for name in case.query or {} if name not in declared]:
        value = case.query.pop(name)
        value = re.sub("[^A-Za-z0-9 ]", "", str(value))[:200]
        operator = CRITERIA_OPERATORS[len(name) % len(CRITERIA_OPERATORS)]
        attribute = f"x{re.sub('[^A-Za-z0-9]', '', name)[:50]}"
        if case.operation.path == EVENTS:
            attribute = (*EVENT_TEXTS, f"event.resource.{attribute}")[len(value) % (len(EVENT_TEXTS) + 1)]
        case.query[f"{attribute}{operator}"] = value


@rule
def lists_name_attributes(case: AnyCase) -> None:
    """The phase that enumerates makes values of a pattern without regard to the format, such as `0`."""
    query = case.query or {}
    if str(query.get("fields")).isdigit():
        query["fields"] = "eventId" if case.operation.path == EVENTS else "id"
    if str(query.get("expand")).isdigit():
        del query["expand"]


@rule
def events_are_of_the_api(case: AnyCase) -> None:
    """An event holds the resource of its API, and only that API's event types may be asked for."""
    if case.operation.path == EVENTS:
        case.query = {
            of_the_api(name, case): of_the_api(str(value), case) if name in {"fields", "filter"} else value
            for name, value in (case.query or {}).items()
        }
    for holder in (case.body, case.query):
        if isinstance(holder, dict) and isinstance(holder.get("query"), str):
            holder["query"] = of_the_api(str(holder["query"]), case)


def of_the_api(text: str, case: AnyCase) -> str:
    noun = next(iter(case.operation.schema.raw_schema["paths"])).strip("/")
    return text.replace("event.resource", f"event.{noun}").replace("=Resource", f"={noun[0].upper()}{noun[1:]}")


@rule
def a_store_can_keep_the_names(case: AnyCase) -> None:
    """Names that start with `$` or `.` or hold NUL are refused at any depth; OpenAPI 3.0 has no propertyNames."""
    case.body = renamed(case.body)


@rule
def periods_do_not_end_before_they_start(case: AnyCase) -> None:
    """x-ordered: a rule between two members."""
    for value in objects_in(case.body):
        start, end = value.get("startDateTime"), value.get("endDateTime")
        if isinstance(start, str) and isinstance(end, str) and instant(start) > instant(end):
            value["startDateTime"], value["endDateTime"] = end, start


def instant(text: str) -> datetime:
    """The earliest one for what is no date-time."""
    try:
        found = datetime.fromisoformat(text.upper())
        return found.astimezone(UTC) if found.tzinfo else datetime.min.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


@rule
def callbacks_have_a_host(case: AnyCase) -> None:
    """A URI may name a host that no resolver takes, such as one of 2,000 characters, or have none."""
    if isinstance(case.body, dict) and isinstance(case.body.get("callback"), str):
        parts = urlsplit(str(case.body["callback"]))
        case.body["callback"] = f"http://in.listener.com{parts.path}"[:2048]


@rule
def items_of_a_quote_are_known(case: AnyCase) -> None:
    """Ids are unique in a list of items (x-merge-key), and a related item is one of the same quote."""
    items = list(items_in(case.body))
    for item in items:
        for relationship in item.get("quoteItemRelationship") or ():
            relationship["id"] = items[0]["id"]


def items_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every item at any depth, once it has an id that is the only one in its list."""
    items = value.get("quoteItem") if isinstance(value, dict) else None
    for number, item in enumerate(items if isinstance(items, list) else ()):
        item["id"] = f"{number}{item.get('id', '')}"[:255]
        yield item
        yield from items_in(item)


@rule
def operations_have_what_they_need(case: AnyCase) -> None:
    """RFC 6902, 4: which members an operation has depends on its op. A path leads to what may change."""
    for operation in case.body if isinstance(case.body, list) else ():
        if isinstance(operation, dict):
            if operation.get("op") in {"add", "replace", "test"}:
                operation.setdefault("value", None)
            for name in ("path", "from"):
                text = str(operation.get(name))
                operation[name] = text if PATCH_PATH.fullmatch(text) else "/description"


PATCH_PATH = re.compile(r"/(?!(id|href|quoteDate|creationDate)\b)[\w ?=/-]+|note\[.*\]\.text", re.ASCII)


@rule
def integers_can_be_held(case: AnyCase) -> None:
    """RFC 7493, 2.2: unknown members may be integers, but no larger ones than a double holds."""
    case.body = held(case.body)


# Where a check would take too long ------------------------------------------------------------------------------------

EVERYWHERE = "FUZZ_EVERYWHERE" in os.environ
_tried: set[tuple[str, ...]] = set()


@schemathesis.hook
def filter_case(context: HookContext, case: AnyCase) -> bool:
    return EVERYWHERE or not is_a_rule_tried_before(case)


def is_a_rule_tried_before(case: AnyCase) -> bool:
    """A quote reaches 45 types over 75,000 places: each rule of each member of a type is broken at one of them."""
    data = case.meta.phase.data if case.meta else None
    if not isinstance(data, CoveragePhaseData):
        return False
    place, separator = (data.location, "/properties/") if data.location else (data.description or "", " with ")
    if place.count(separator) < 2:
        return False
    within = re.sub("/(items|allOf/[0-9]+)", "", separator.join(place.rsplit(separator, 2)[1:]))
    key = (case.operation.label, str(data.scenario), str(data.description if data.location else ""), within)
    if key in _tried:
        return True
    _tried.add(key)
    return False


# What the service forgives on purpose ---------------------------------------------------------------------------------


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: AnyCase, response: Response) -> bool:
    return not is_a_forgiven_misprint(failure, case)


def is_a_forgiven_misprint(failure: Failure, case: AnyCase) -> bool:
    """x-lenient: empty dates of a period and "true" or "false" for a boolean, as the printed samples have them.

    A null that a POST may not have counts as not sent (nullAsMissing).
    """
    body = mended(case.body)
    if case.method == "POST" and isinstance(body, dict):
        body = {name: value for name, value in body.items() if value is not None}
    return isinstance(failure, AcceptedNegativeData) and body != case.body and follows_the_contract(body, case)


def follows_the_contract(body: Any, case: AnyCase) -> bool:
    document = case.operation.schema.raw_schema
    body_of = case.operation.definition.raw["requestBody"]
    if "$ref" in body_of:
        body_of = document["components"]["requestBodies"][body_of["$ref"].rpartition("/")[2]]
    schema = body_of["content"][case.media_type]["schema"]
    whole = {"allOf": [schema], "components": {"schemas": document["components"]["schemas"]}}
    return bool(OAS30Validator(whole, format_checker=oas30_format_checker).is_valid(body))


def held(value: Any) -> Any:
    if isinstance(value, list):
        return [held(element) for element in value]
    if isinstance(value, dict):
        return {name: held(member) for name, member in value.items()}
    is_large = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > LARGEST
    return LARGEST if is_large else value


LARGEST = 2**53 - 1


def renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [renamed(element) for element in value]
    if not isinstance(value, dict):
        return value
    return {name.replace("\0", "").lstrip("$."): renamed(member) for name, member in value.items()}


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects_in(child)
