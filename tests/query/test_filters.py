"""Every way to write a filter that TMF630 part 1 knows, and the condition that it becomes."""

import pytest
from tests.query.typed_attributes import RESOURCE, where

from tmf_sales.errors import InvalidFilter, InvalidParameter
from tmf_sales.query.query import parse_query
from tmf_sales.storage.conditions import EVERYTHING, And, Compare, Condition, Exists, Not, Operator, Or, Path, Regex

NAME: Path = ("name",)
CREATED: Path = ("created",)


def eq(name: str, *values: str | float | bool) -> Condition:
    found = tuple(Compare(tuple(name.split(".")), Operator.EQ, value) for value in values)
    return found[0] if len(found) == 1 else Or(found)


def compared(name: str, operator: str, value: str | float) -> Condition:
    return Compare(tuple(name.split(".")), Operator(operator), value)


AFTER = compared("created", "gt", "2019-05-08T23:59:59.999Z")
FROM = compared("created", "gte", "2019-05-08T00:00:00.000Z")
BEFORE = compared("created", "lt", "2019-05-08T00:00:00.000Z")
UNTIL = compared("created", "lte", "2019-05-08T23:59:59.999Z")
ON = compared("created", "prefix", "2019-05-08")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", EVERYTHING),
        ("&&", EVERYTHING),
        ("name=a", eq("name", "a")),
        ("name=", eq("name", "")),
        (" name =a", eq("name", "a")),
        ("name=a=b", eq("name", "a=b")),
        ("name=*", eq("name", "*")),
        ("name=John+Smith%20%2B1", eq("name", "John Smith +1")),
        ("name=%C3%A9", eq("name", "é")),
        ("name=\u00c3\u00a9", eq("name", "é")),
        ("name=100%", eq("name", "100%")),
        ("party.id=94587", eq("party.id", "94587")),
        ("item.item.offering.id=7", Or((eq("item.item.offering.id", "7"), eq("item.item.offering.id", 7)))),
        ("state=open&name=a", And((eq("state", "open"), eq("name", "a")))),
        ("name.eq=a", eq("name", "a")),
        ("name%3D%3Da", eq("name", "a")),
        ("name==a", eq("name", "a")),
        ("name%3Da", eq("name", "a")),
        ("name%3D%3D=a", eq("name", "a")),
        ("name.eq==a", eq("name", "=a")),
        ("name.eq=~a", eq("name", "~a")),
        ("limit.eq=a", eq("limit", "a")),
        ("@type=a", eq("@type", "a")),
        ("name.ne=a", Not(eq("name", "a"))),
        ("name.ne=a,b", Not(eq("name", "a", "b"))),
        ("name.ne=a;b", Not(eq("name", "a", "b"))),
        ("name.ne=a&name.ne=b", And((Not(eq("name", "a")), Not(eq("name", "b"))))),
        ("name.ne=a;name.ne=b", Or((Not(eq("name", "a")), Not(eq("name", "b"))))),
        ("name.in=a,b", eq("name", "a", "b")),
        ("name.in=a&name=b", And((eq("name", "a"), eq("name", "b")))),
        ("name.exists=true", Exists(NAME)),
        ("name.exists=false", Not(Exists(NAME))),
        ("period.exists=true", Exists(("period",))),
        ("name.gt=a", compared("name", "gt", "a")),
        ("name.gt=a,b", Or((compared("name", "gt", "a"), compared("name", "gt", "b")))),
    ],
)
def test_filters_become_conditions(raw: str, expected: Condition) -> None:
    assert where(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("created=2019-05-08", ON),
        ("created.gt=2019-05-08", AFTER),
        ("created%3E2019-05-08", AFTER),
        ("created>2019-05-08", AFTER),
        ("created.gte=2019-05-08", FROM),
        ("created%3E%3D2019-05-08", FROM),
        ("created%3E%3D=2019-05-08", FROM),
        ("created%3E=2019-05-08", FROM),
        ("created>=2019-05-08", FROM),
        ("created.lt=2019-05-08", BEFORE),
        ("created%3C2019-05-08", BEFORE),
        ("created.lte=2019-05-08", UNTIL),
        ("created%3C%3D2019-05-08", UNTIL),
        ("created%3c=2019-05-08", UNTIL),
        ("created.gte=2019-05-08&created.lt=2019-05-08", And((FROM, BEFORE))),
        ("created.gt=2019-05-08&created.gt=2019-05-08", And((AFTER, AFTER))),
        ("created%3E2019-05-08%3Bcreated%3C2019-05-08", Or((AFTER, BEFORE))),
    ],
)
def test_orderings_are_suffixes_or_literals_of_the_encoded_name(raw: str, expected: Condition) -> None:
    assert where(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("state=open,held", eq("state", "open", "held")),
        ("state=open%2Cheld", eq("state", "open", "held")),
        ("state=open&state=held", eq("state", "open", "held")),
        ("state=open&name=a&state.eq=held", And((eq("state", "open", "held"), eq("name", "a")))),
        ("state=open;held", eq("state", "open", "held")),
        ("state=open%3Bheld", eq("state", "open", "held")),
        ("state=open;state=held", eq("state", "open", "held")),
        ("state=open%3Bstate%3Dheld", eq("state", "open", "held")),
        ("state=open;state=held&state=done", eq("state", "open", "held", "done")),
        ("state=open,held;done&state=open", eq("state", "open", "held", "done")),
        ("state=open,,held,", eq("state", "open", "held")),
        ("state=open;", eq("state", "open")),
        ("state=open;name=a", Or((eq("state", "open"), eq("name", "a")))),
        ("state=open;name=a,b", Or((eq("state", "open"), eq("name", "a"), eq("name", "b")))),
        ("state=open;name=a&name=b", And((Or((eq("state", "open"), eq("name", "a"))), eq("name", "b")))),
        ("name=a;name.regex=b", Or((eq("name", "a"), Regex(NAME, "b")))),
    ],
)
def test_commas_semicolons_and_repetition_are_alternatives(raw: str, expected: Condition) -> None:
    assert where(raw) == expected


@pytest.mark.parametrize(
    ("raw", "operands"),
    [
        ("name=a%252Cb", ["a,b"]),
        ("name=a%252cb,c", ["a,b", "c"]),
        ("name=a%253Bb;c", ["a;b", "c"]),
        ("name=%2522a%2522", ['"a"']),
        ("name=Smith%252C%2520John", ["Smith, John"]),
        ("name=100%2525", ["100%25"]),
        ('name="a,b;c"', ["a,b;c"]),
        ("name=%22a,b%22,c", ["a,b", "c"]),
        ("name=%22a%2522%22", ["a%22"]),
        ('name="a=b";"c>d"', ["a=b", "c>d"]),
        ('name="say ""hi"""', ['say "hi"']),
        ('name=""', [""]),
        ('name=5" pipe', ['5" pipe']),
    ],
)
def test_a_separator_in_a_value_is_encoded_twice_or_quoted(raw: str, operands: list[str]) -> None:
    assert where(raw) == eq("name", *operands)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("name.regex=^a.*b$", Regex(NAME, "^a.*b$")),
        ("name*=ab", Regex(NAME, "ab")),
        ("name%2A%3Dab", Regex(NAME, "ab")),
        ("name=~ab", Regex(NAME, "ab")),
        ("name%3D~ab", Regex(NAME, "ab")),
        ("name%3D~=ab", Regex(NAME, "ab")),
        ("name.regex=a,b", Regex(NAME, r"a\,b")),
        ('name.regex="a;b"', Regex(NAME, r"a\;b")),
        ('name.regex="a",b', Regex(NAME, r"\"a\"\,b")),
        ('name.regex="a', Regex(NAME, r"\"a")),
        ("name.regex=a%253Bb", Regex(NAME, r"a\;b")),
        ("name.regex=a;b", Or((Regex(NAME, "a"), Regex(NAME, "b")))),
        ("name.regex=a&name.regex=b", And((Regex(NAME, "a"), Regex(NAME, "b")))),
        ("unknown.regex=a", Regex(("unknown",), "a")),
    ],
)
def test_patterns_keep_their_commas(raw: str, expected: Condition) -> None:
    assert where(raw) == expected


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("state[$ne]=x", "'state[$ne]' is not the name of an attribute"),
        ("$where=1", "'$where' is not the name of an attribute"),
        ("a..b=1", "'a..b' is not the name of an attribute"),
        ("=1", "'' is not the name of an attribute"),
        ("a'%20OR%201=1", '"a\' OR 1" is not the name of an attribute'),
        ("a.b.c.d.e.f.g.h.i.j.k=1", "'a.b.c.d.e.f.g.h.i.j.k' is not the name of an attribute"),
        ("a" * 2001 + "=1", f"'{'a' * 39}... is not the name of an attribute"),
        ("name", "'name': there is no operator; an equality is name=value"),
        ('"a"', "'\"a\"': there is no operator; an equality is name=value"),
        ('name="a', "'name': the \" at position 6 is not closed"),
        ("name=%FF", "'name=%FF' is not percent-encoded UTF-8"),
        ("name=%25FF%252C", "'%FF%2C' is not percent-encoded UTF-8"),
        ("name=a%00", "'name=a\\x00' has a NUL character at position 7"),
        ("name=%2500%252C", "'\\x00,' has a NUL character at position 1"),
        ("name=\u20ac", "'name=\\u20ac' is not percent-encoded UTF-8"),
        ("created.gt>2019", "'created.gt': has two operators, .gt and >"),
        ("created.gt=2019-13-01", "created.gt: '2019-13-01' is not a date-time"),
        ("created%3E2019-13-01", "created>: '2019-13-01' is not a date-time"),
        ("count=many", "count: 'many' is not a number"),
        ("price.gt=1e400", "price.gt: '1e400' is outside the range of a double, about 5e-324 to 1.8e308"),
        (
            "price=99999999999999.99",
            "price: '99999999999999.99' cannot be kept exactly: a double keeps 15 significant digits",
        ),
        ("count.lt=9007199254740992", "count.lt: '9007199254740992' is beyond 2^53-1"),
        ("urgent=yes", "urgent: 'yes' is not true or false"),
        ("urgent.gt=true", "urgent.gt: a boolean has no order, it is only equal or not"),
        ("party=x", "party: is an object: name one of its members"),
        ("count.regex=1", "count.regex: regex is for text, and this is a number"),
        ("created.regex=1", "created.regex: regex is for text, and this is a date-time"),
        ("name.regex=(a)", "name.regex: '(' at position 1 is not supported in a regular expression"),
        ("name.exists=maybe", "name.exists: 'maybe' is not true or false"),
        ("name.exists=true,false", "name.exists: 'true,false' is not true or false"),
        ("&".join(f"a{number}=1" for number in range(31)), "a30: more than 30 conditions"),
        ("id=" + ",".join(str(number) for number in range(101)), "id: more than 100 values"),
        ("name=a" + ";b" * 201, "'name=a;b;b;b;b;b;b;b;b;b;b;b;b;b;b;b;b;...: more than 200 semicolons"),
        ("a[=1;" * 30 + "b=1", "'a[' is not the name of an attribute"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(raw: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as refusal:
        where(raw)
    assert str(refusal.value) == message
    assert refusal.value.body()["reason"] == "Invalid filter"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("sort>name", "sort: is a reserved name, and the attribute of this name is sort.eq"),
        ("filter==x", "filter: is a reserved name, and the attribute of this name is filter.eq"),
        ("limit==5", "limit: is a reserved name, and the attribute of this name is limit.eq"),
        ("state=open;limit=5", "limit: cannot stand beside other conditions in one parameter"),
        ("a=" + "b" * 8191, "the query string is longer than 8192 characters"),
        ("&".join(["a=1"] * 201), "the query string has more than 200 parameters"),
    ],
)
def test_reserved_names_and_sizes_are_parameters(raw: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        where(raw)
    assert str(refusal.value) == message


def test_unknown_attributes_are_refused_only_where_the_service_is_strict() -> None:
    assert where("colour=red") == eq("colour", "red")
    with pytest.raises(InvalidFilter, match=r"^colour: is not an attribute of this resource$"):
        where("colour=red", strict=True)


def test_a_value_that_an_enum_lacks_matches_nothing_and_is_refused_where_strict() -> None:
    assert where("state=lost") == eq("state", "lost")
    for raw in ("state=lost", "state.in=lost", "state.ne=lost", "state=open,lost"):
        with pytest.raises(InvalidFilter, match=r"^state(\.in|\.ne)?: 'lost' is not one of open, held, done$"):
            where(raw, strict=True)
    assert where("state.gt=lost", strict=True) == compared("state", "gt", "lost")


@pytest.mark.parametrize(
    ("raw", "single_id"),
    [
        ("id=X", "X"),
        ("id.eq=X&state=open", "X"),
        ("id=X&version=2", "X"),
        ("id=X&id=X", "X"),
        ("id=X,Y", None),
        ("id=X&id=Y", None),
        ("id=X;state=open", None),
        ("id.in=X", None),
        ("id.ne=X", None),
        ("party.id=X", None),
        ("filter=$[?(@.id=='X')]", None),
        ("", None),
    ],
)
def test_only_one_top_level_equality_with_one_value_is_a_single_id(raw: str, single_id: str | None) -> None:
    assert parse_query(raw, RESOURCE, strict=False).single_id == single_id


def test_the_condition_is_to_be_had_without_some_of_its_equalities() -> None:
    request = parse_query("id=X&version=2.0&state=open", RESOURCE, strict=False)
    assert request.equality_on(("version",)) == ("2.0",)
    assert request.equality_on(("name",)) is None
    assert request.where_without(("id",), ("version",)) == eq("state", "open")
    assert request.where_without(("id",)) == And((eq("version", "2.0"), eq("state", "open")))
