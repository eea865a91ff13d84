"""Filters (TMF630).

"Filtering may be available depending on the compliance level supported by an implementation", so all of this is advice.
A server that rejects a filter does not support it; one that ignores a filter fails the check.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, timezone
from functools import partial
from typing import Any

from tmf_conformance.api import Api, Document
from tmf_conformance.check import Check, Checks
from tmf_conformance.comparison import parse_date_time, value_at, values_at
from tmf_conformance.http.links import encoded
from tmf_conformance.outcome import Failed, NotRun, NotSupported
from tmf_conformance.session import Session
from tmf_conformance.source import advice

FILTERS = "TMF630, filtering"
OPERATORS = {"gt": "greater than", "gte": "greater or equal", "lt": "less", "lte": "less or equal"}
# Attributes that many resources share; their filter is combined with one on the text of the resource.
COARSE = {
    "state", "status", "priority", "instantSyncQuote", "@type", "version", "estimatedRevenue.unit",
    "contactMedium.mediumType", "prospectContact.mediumType", "quoteItem.action", "quoteItem.quantity",
}  # fmt: skip


def checks(api: Api) -> Checks:
    equal = advice(FILTERS, "attribute=value selects the resources whose attribute has the value")
    nested = advice(FILTERS, "a dotted name reaches into sub-resources; of an array any element may match")
    for path in api.queries:
        source = nested if "." in path else equal
        yield Check(f"filter-{path.replace('@', 'at-')}", f"{path} is a filter", source, partial(filters_by, path))
    both = advice(FILTERS, "several attributes are ANDed")
    yield Check("filter-and", "two attributes must both match", both, joins_with_and)
    either = advice(FILTERS, "several values of an attribute, separated by commas, are ORed")
    yield Check("filter-or-comma", "values separated by commas are alternatives", either, joins_with_or)
    again = advice(FILTERS, "an attribute that is given several times is ORed")
    yield Check("filter-or-repeated", "a repeated attribute gives alternatives", again, repeats_are_or)
    for operator, meaning in OPERATORS.items():
        compared = advice(FILTERS, f"attribute.{operator}=value compares: {meaning}")
        yield Check(f"filter-{operator}", f".{operator} compares dates", compared, partial(compares, operator))
    literal = advice(FILTERS, "an operator may stand as such in the encoded name: attribute%3Evalue")
    yield Check("filter-literal-operator", "an encoded > compares", literal, takes_literal_operator)
    between = advice(FILTERS, "the same attribute with different operators is a range")
    yield Check("filter-range", "two operators make a range", between, takes_a_range)
    pattern = advice(FILTERS, "attribute.regex=pattern selects by a regular expression")
    yield Check("filter-regex", ".regex matches a pattern", pattern, matches_a_pattern)
    element = advice(FILTERS, "filter= takes a JSONPath expression, whose criteria hold for one and the same element")
    yield Check("filter-jsonpath", "filter takes a JSONPath expression", element, takes_jsonpath)
    offset = advice(FILTERS, "date-times are compared as points in time, whatever their offset")
    yield Check("filter-offset", "date-times are compared as points in time", offset, compares_points_in_time)
    wrong = advice(FILTERS, "a filter whose value does not fit the attribute returns 400")
    yield Check("filter-wrong-value-400", "a value that is not a date returns 400", wrong, wrong_value_is_400)


def found(session: Session, query: str, *, by: str) -> set[str]:
    """The ids that a query finds; raises NotSupported when the server rejects it."""
    response = session.search(query)
    if response.is_unsupported:
        raise NotSupported(f"the server rejects {by}: filtering depends on the compliance level", response.interaction)
    response.expect_success()
    return {str(each.get("id")) for each in response.objects()}


def selects(session: Session, query: str, *, by: str, expected: bool, which: int = 0) -> None:
    """Fail unless the query finds a resource of the pair exactly when expected."""
    body = session.pair[which]
    answered = found(session, query, by=by)
    last = session.last
    if (str(body["id"]) in answered) is not expected and last is not None:
        relation = "with" if expected else "without"
        raise Failed(f"a list {relation} the resource {body['id']}, whose attributes are known", last)


def value_of(session: Session, path: str, which: int) -> Any:
    """The value that the server returns for the attribute; "not run" without one, as there is nothing to find."""
    value = value_at(session.pair_read[which], path)
    if value is None or isinstance(value, (dict, list)):
        raise NotRun(f"the server has no value for {path}", session.last)
    return value


def text_of(value: Any) -> str:
    return encoded(str(value).lower() if isinstance(value, bool) else str(value))


def scope(session: Session, which: int = 0) -> str:
    """A filter that finds one resource of the pair by its own text."""
    return f"{session.api.text}={encoded(session.pair[which][session.api.text])}&"


def filters_by(path: str, session: Session) -> None:
    own, other = value_of(session, path, 0), value_of(session, path, 1)
    if path in COARSE or own == other:
        selects(session, f"{scope(session)}{path}={text_of(own)}", by=path, expected=True)
        absent = absent_value(session.api, path, session.pair_read)
        selects(session, f"{scope(session)}{path}={text_of(absent)}", by=path, expected=False)
        return
    selects(session, f"{path}={text_of(own)}", by=path, expected=True)
    selects(session, f"{path}={text_of(other)}", by=path, expected=False)


def absent_value(api: Api, path: str, pair: tuple[Document, Document]) -> Any:
    """A valid value of the attribute that the first resource of the pair does not have.

    Servers may reject a value that no resource can have, such as an unknown state.
    """
    own = list(values_at(pair[0], path))
    return next(value for value in valid_values(api, path, pair) if value not in own)


def valid_values(api: Api, path: str, pair: tuple[Document, Document]) -> Iterator[Any]:
    """Values that the specification names or this run sends, then one of the same type."""
    if (other := value_at(pair[1], path)) is not None:
        yield other
    if path == api.state:
        yield from api.states
    for variant in (0, 1):
        yield from values_at(api.body("", variant), path)
    own = value_at(pair[0], path)
    if isinstance(own, bool):
        yield not own
    elif isinstance(own, (int, float)):
        yield max(each for each in values_at(pair[0], path) if isinstance(each, (int, float))) + 1
    elif (moment := parse_date_time(own)) is not None:
        yield (moment - timedelta(days=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    yield f"Other{own}"


def joins_with_and(session: Session) -> None:
    first, second = (value_of(session, "note.author", which) for which in (0, 1))
    text = value_of(session, "note.text", 0)
    selects(session, f"note.text={text_of(text)}&note.author={text_of(first)}", by="two attributes", expected=True)
    selects(session, f"note.text={text_of(text)}&note.author={text_of(second)}", by="two attributes", expected=False)


def joins_with_or(session: Session) -> None:
    name = session.api.text
    values = ",".join(text_of(value_of(session, name, which)) for which in (0, 1))
    for which in (0, 1):
        selects(session, f"{name}={values}", by="alternatives", expected=True, which=which)


def repeats_are_or(session: Session) -> None:
    name = session.api.text
    query = "&".join(f"{name}={text_of(value_of(session, name, which))}" for which in (0, 1))
    for which in (0, 1):
        selects(session, query, by="alternatives", expected=True, which=which)


def compares(operator: str, session: Session) -> None:
    """Compare dates: the first resource's date is before that of the second."""
    early, late = (value_of(session, "validFor.startDateTime", which) for which in (0, 1))
    bound, inside, outside = {
        "gt": (early, 1, 0),
        "gte": (late, 1, 0),
        "lt": (late, 0, 1),
        "lte": (early, 0, 1),
    }[operator]
    for which, expected in ((inside, True), (outside, False)):
        query = f"{scope(session, which)}validFor.startDateTime.{operator}={encoded(bound)}"
        selects(session, query, by=f".{operator}", expected=expected, which=which)


def takes_literal_operator(session: Session) -> None:
    early = value_of(session, "validFor.endDateTime", 0)
    for which, expected in ((1, True), (0, False)):
        query = f"{scope(session, which)}validFor.endDateTime%3E{encoded(early)}"
        selects(session, query, by="an operator in the name", expected=expected, which=which)


def takes_a_range(session: Session) -> None:
    early, late = (value_of(session, "validFor.endDateTime", which) for which in (0, 1))
    attribute = "validFor.endDateTime"
    query = f"{attribute}.gte={encoded(early)}&{attribute}.lt={encoded(late)}"
    selects(session, f"{scope(session)}{query}", by="a range", expected=True)
    selects(session, f"{scope(session, 1)}{query}", by="a range", expected=False, which=1)


def matches_a_pattern(session: Session) -> None:
    own, other = (str(value_of(session, "note.text", which)) for which in (0, 1))
    for text, expected in ((own, True), (other, False)):
        query = f"note.text.regex={encoded('^' + text[:-2] + '.' + text[-1:] + '$')}"
        selects(session, query, by=".regex", expected=expected)


def takes_jsonpath(session: Session) -> None:
    """A JSONPath must match one element: no party has the id of the first and the role of the second."""
    first, second = session.pair[0]["relatedParty"]
    for role, expected in ((first["role"], True), (second["role"], False)):
        path = f"relatedParty[?(@.id=='{first['id']}' && @.role=='{role}')]"
        selects(session, f"filter={encoded(path)}", by="JSONPath", expected=expected)


def compares_points_in_time(session: Session) -> None:
    own = value_of(session, "validFor.startDateTime", 0)
    elsewhere = in_another_zone(own)
    selects(session, f"{scope(session)}validFor.startDateTime={encoded(elsewhere)}", by="dates", expected=True)


def in_another_zone(moment: Any) -> str:
    """The same point in time at an offset of two hours, which may be on another day."""
    given = parse_date_time(moment)
    if given is None:
        raise NotRun(f"validFor.startDateTime is not a date-time: {moment}")
    return given.astimezone(timezone(timedelta(hours=-2))).isoformat(timespec="milliseconds")


def wrong_value_is_400(session: Session) -> None:
    session.search("validFor.startDateTime.gt=yesterday").expect_status(400)
