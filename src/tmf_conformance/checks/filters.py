"""Filters (TMF630): "Filtering may be available depending on the compliance level supported by an implementation", so
all of this is advice, and a server that refuses a filter does without it. One that ignores it answers what was not
asked for.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tmf_conformance.comparison import at
from tmf_conformance.check import Check, Checks, Failed, NotRun, NotSupported, advice
from tmf_conformance.session import encoded

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.session import Session

FILTERS = "TMF630, filtering"
OPERATORS = {"gt": "greater than", "gte": "greater or equal", "lt": "less", "lte": "less or equal"}
# Attributes of which two resources easily have the same value; for them the search is narrowed to the one by its text.
COARSE = {"state", "status", "priority", "instantSyncQuote", "@type", "version", "estimatedRevenue.unit"}


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
    offset = advice(FILTERS, "date-times are compared as instants, whatever their offset")
    yield Check("filter-offset", "date-times are compared as instants", offset, compares_instants)
    wrong = advice(FILTERS, "a filter whose value does not fit the attribute is answered with 400")
    yield Check("filter-wrong-value-400", "a value that is no date is answered with 400", wrong, wrong_value_is_400)


def found(session: Session, query: str, *, by: str) -> set[str]:
    """The ids that a query finds; a refusal means that the server does without it."""
    answer = session.search(query)
    if answer.does_not_know:
        raise NotSupported(f"the server refuses {by}: filtering depends on the compliance level", answer.exchange)
    answer.expect_success()
    return {str(each.get("id")) for each in answer.objects()}


def selects(session: Session, query: str, *, by: str, expected: bool, which: int = 0) -> None:
    """Whether the query finds the one of the pair, as it should or should not."""
    body = session.pair[which]
    answered = found(session, query, by=by)
    last = session.last
    if (str(body["id"]) in answered) is not expected and last is not None:
        relation = "with" if expected else "without"
        raise Failed(f"a list {relation} the resource {body['id']}, whose attributes are known", last)


def value_of(session: Session, path: str, which: int) -> Any:
    """What the server answers for the attribute; what it has not kept, it cannot find."""
    value = at(session.pair_read[which], path)
    if value is None or isinstance(value, (dict, list)):
        raise NotRun(f"the server has no value for {path}", session.last)
    return value


def text_of(value: Any) -> str:
    return encoded(str(value).lower() if isinstance(value, bool) else str(value))


def narrowed(session: Session, which: int = 0) -> str:
    """A filter that finds the one resource of the pair by its own text."""
    return f"{session.api.text}={encoded(session.pair[which][session.api.text])}&"


def filters_by(path: str, session: Session) -> None:
    own, other = value_of(session, path, 0), value_of(session, path, 1)
    if path in COARSE or own == other:
        selects(session, f"{narrowed(session)}{path}={text_of(own)}", by=path, expected=True)
        selects(
            session, f"{narrowed(session)}{path}={text_of(absent_value(path, own, other))}", by=path, expected=False
        )
        return
    selects(session, f"{path}={text_of(own)}", by=path, expected=True)
    selects(session, f"{path}={text_of(other)}", by=path, expected=False)


def absent_value(path: str, own: Any, other: Any) -> Any:
    """A value of the attribute's type that the resource does not have."""
    if isinstance(own, bool):
        return not own
    return other if other != own else f"Other{own}"


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
    """The date of the first is before that of the second."""
    early, late = (value_of(session, "validFor.startDateTime", which) for which in (0, 1))
    bound, inside, outside = {
        "gt": (early, 1, 0),
        "gte": (late, 1, 0),
        "lt": (late, 0, 1),
        "lte": (early, 0, 1),
    }[operator]
    for which, expected in ((inside, True), (outside, False)):
        query = f"{narrowed(session, which)}validFor.startDateTime.{operator}={encoded(bound)}"
        selects(session, query, by=f".{operator}", expected=expected, which=which)


def takes_literal_operator(session: Session) -> None:
    early = value_of(session, "validFor.endDateTime", 0)
    for which, expected in ((1, True), (0, False)):
        query = f"{narrowed(session, which)}validFor.endDateTime%3E{encoded(early)}"
        selects(session, query, by="an operator in the name", expected=expected, which=which)


def takes_a_range(session: Session) -> None:
    early, late = (value_of(session, "validFor.endDateTime", which) for which in (0, 1))
    attribute = "validFor.endDateTime"
    query = f"{attribute}.gte={encoded(early)}&{attribute}.lt={encoded(late)}"
    selects(session, f"{narrowed(session)}{query}", by="a range", expected=True)
    selects(session, f"{narrowed(session, 1)}{query}", by="a range", expected=False, which=1)


def matches_a_pattern(session: Session) -> None:
    own, other = (str(value_of(session, "note.text", which)) for which in (0, 1))
    for text, expected in ((own, True), (other, False)):
        query = f"note.text.regex={encoded('^' + text[:-2] + '.' + text[-1:] + '$')}"
        selects(session, query, by=".regex", expected=expected)


def takes_jsonpath(session: Session) -> None:
    """The id of one party with the role of the other is in no element, though both are in the array."""
    first, second = session.pair[0]["relatedParty"]
    for role, expected in ((first["role"], True), (second["role"], False)):
        path = f"relatedParty[?(@.id=='{first['id']}' && @.role=='{role}')]"
        selects(session, f"filter={encoded(path)}", by="JSONPath", expected=expected)


def compares_instants(session: Session) -> None:
    own = str(value_of(session, "validFor.startDateTime", 0))
    hour = int(own[11:13])
    elsewhere = f"{own[:11]}{hour - 2:02}{own[13:].removesuffix('Z')}-02:00"
    selects(session, f"{narrowed(session)}validFor.startDateTime={encoded(elsewhere)}", by="dates", expected=True)


def wrong_value_is_400(session: Session) -> None:
    session.search("validFor.startDateTime.gt=yesterday").expect_status(400)
