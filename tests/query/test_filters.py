"""Every way to write a filter that TMF630 part 1 knows, and the condition that it becomes."""

import pytest
from tests.query.typed_attributes import RESOURCE, where

from tmf_sales.errors import InvalidFilter, InvalidParameter
from tmf_sales.query.query import parse_query
from tmf_sales.storage.conditions import (
    EVERYTHING,
    And,
    Between,
    Compare,
    Condition,
    Exists,
    HasValue,
    Not,
    Operator,
    Or,
    Path,
    Regex,
    Text,
    TextOperator,
)

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
        ("name", "'name': the operator is missing; write name=value"),
        ('"a"', "'\"a\"': the operator is missing; write name=value"),
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


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "raw",
    [
        "state=lost",
        "state.in=lost",
        "state.ne=lost",
        "state!=lost",
        "state.nin=open,lost",
        "state=open,lost",
        "state.eqi=LOST",
        "state.eq=lost",
        "filter=[?(@.state=='lost')]",
    ],
)
def test_a_value_that_an_enumeration_lacks_is_rejected(raw: str, *, strict: bool) -> None:
    with pytest.raises(InvalidFilter, match=r"'(lost|LOST)' is not one of open, held, done$"):
        where(raw, strict=strict)
    assert where("state.gt=lost", strict=strict) == compared("state", "gt", "lost")


def text(how: str, value: str, *, ignore_case: bool = False) -> Condition:
    return Text(NAME, TextOperator(how), value, ignore_case)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("name!=a", Not(eq("name", "a"))),
        ("name%21=a", Not(eq("name", "a"))),
        ("name%21%3Da", Not(eq("name", "a"))),
        ("name!%3D=a", Not(eq("name", "a"))),
        ("name!=a,b", Not(eq("name", "a", "b"))),
        ("name!=a&name!=b", And((Not(eq("name", "a")), Not(eq("name", "b"))))),
        ("name.nin=a,b", Not(eq("name", "a", "b"))),
        ("name=a!=b", eq("name", "a!=b")),
        ("name=!a", eq("name", "!a")),
        ("name.eqi=Ab", text("eq", "Ab", ignore_case=True)),
        ("name.nei=a", Not(text("eq", "a", ignore_case=True))),
        ("name.ini=a,b", Or((text("eq", "a", ignore_case=True), text("eq", "b", ignore_case=True)))),
        ("name.nini=a", Not(text("eq", "a", ignore_case=True))),
        ("name.contains=a,b", Or((text("contains", "a"), text("contains", "b")))),
        ('name.contains="a,b"', text("contains", "a,b")),
        ("name.contains=", text("contains", "")),
        ("name.containsi=a", text("contains", "a", ignore_case=True)),
        ("name.startswith=a", text("startswith", "a")),
        ("name.startswithi=a", text("startswith", "a", ignore_case=True)),
        ("name.endswith=a;b", Or((text("endswith", "a"), text("endswith", "b")))),
        ("name.endswithi=a", text("endswith", "a", ignore_case=True)),
        ("name.contains=a&name.contains=b", And((text("contains", "a"), text("contains", "b")))),
        ("state.eqi=OPEN", Text(("state",), TextOperator.EQ, "OPEN", ignore_case=True)),
        ("name.isnull=true", Not(HasValue(NAME))),
        ("name.isnull=false", Not(Not(HasValue(NAME)))),
        ("party.isnull=true", Not(HasValue(("party",)))),
        ("count.between=2,5", Between(("count",), 2, 5)),
        ("count.between=5,5", Between(("count",), 5, 5)),
        ("price.between=-1.5,1e3", Between(("price",), -1.5, 1000.0)),
        ("name.between=a,b", Between(NAME, "a", "b")),
        ('name.between="a,b",c', Between(NAME, "a,b", "c")),
        ("count.between=1,2;count.between=8,9", Or((Between(("count",), 1, 2), Between(("count",), 8, 9)))),
        ("x.between=1,5", Or((Between(("x",), "1", "5"), Between(("x",), 1, 5)))),
        ("x.between=1,a", Between(("x",), "1", "a")),
        ("created.between=2019-05,2019-06-03",
         Between(CREATED, "2019-05-01T00:00:00.000Z", "2019-06-03T23:59:59.999Z")),
        ("created.between=2019-05-01T02:00:00+02:00,2019-05-01T01:00:00Z",
         Between(CREATED, "2019-05-01T00:00:00.000Z", "2019-05-01T01:00:00.000Z")),
    ],
)  # fmt: skip
def test_the_further_operators(raw: str, expected: Condition) -> None:
    assert where(raw) == expected


def paths(*steps: str) -> Condition:
    return Compare(steps, Operator.EQ, "x")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('"xml:lang"=x', paths("xml:lang")),
        ("%22xml:lang%22=x", paths("xml:lang")),
        ('"1st"=x', paths("1st")),
        ('"7"=x', paths("7")),
        ('""=x', paths("")),
        ('ext."a.b"=x', paths("ext", "a.b")),
        ('ext."a.b".c=x', paths("ext", "a.b", "c")),
        ('"say ""hi"""=x', paths('say "hi"')),
        ('"a=b;c>d&e"=x'.replace("&", "%26"), paths("a=b;c>d&e")),
        ('"a b"=x', paths("a b")),
        ('"\u00c3\u00a9"=x', paths("\u00e9")),
        ('"x".eq=x', paths("x")),
        ('"x.eq"=x', paths("x.eq")),
        ('"limit"=x', paths("limit")),
        ('"Limit"=x', paths("Limit")),
        ('"page"=x', paths("page")),
        ('"State"=x', paths("State")),
        ("Limit.eq=x", paths("Limit")),
        ("page.eq=x", paths("page")),
        ("criteria.eq=x", paths("criteria")),
        ("State.eq=x", paths("State")),
        ('name=a;"xml:lang"=x', Or((eq("name", "a"), paths("xml:lang")))),
        ('name=a;"b"', eq("name", "a", "b")),
        ('name=a;"b";"xml:lang"=x', Or((eq("name", "a"), eq("name", "b"), paths("xml:lang")))),
    ],
)
def test_a_name_between_quotes_is_taken_as_it_stands(raw: str, expected: Condition) -> None:
    assert where(raw) == expected


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("state.gtt=x", "state.gtt: 'state' is text and has no members; its values are open, held, done; "
                        "did you mean .gt or .gte?"),
        ("name.contain=x", "name.contain: 'name' is text and has no members; did you mean .contains?"),
        ("name.EQ=x", "name.EQ: 'name' is text and has no members; did you mean .eq?"),
        ("name.like=x", "name.like: 'name' is text and has no members"),
        ("count.gtt=1", "count.gtt: 'count' is a number and has no members; did you mean .gt or .gte?"),
        ("party.since.x.y=1", "party.since.x.y: 'party.since' is a date-time and has no members"),
        ('urgent."x"=1', "urgent.\"x\": 'urgent' is a boolean and has no members"),
        ("name.x.eq=1", "name.x.eq: 'name' is text and has no members"),
        ("State=open", "State: names are case-sensitive; did you mean state?"),
        ("party.Id=1", "party.Id: names are case-sensitive; did you mean party.id?"),
        ("Party.id=1", "Party.id: names are case-sensitive; did you mean party?"),
        ("period.END=2019", "period.END: names are case-sensitive; did you mean period.end?"),
        ("Limit=2", "Limit: names are case-sensitive; did you mean limit?"),
        ("Offset=2", "Offset: did you mean offset? Offset.eq=value filters by an attribute of this name"),
        ("FIELDS=id", "FIELDS: did you mean fields? FIELDS.eq=value filters by an attribute of this name"),
        ("limits=2", "limits: did you mean limit? limits.eq=value filters by an attribute of this name"),
        ("lmiit=2", "lmiit: did you mean limit? lmiit.eq=value filters by an attribute of this name"),
        ("ofset=2", "ofset: did you mean offset? ofset.eq=value filters by an attribute of this name"),
        ("field=id", "field: did you mean fields? field.eq=value filters by an attribute of this name"),
        ("filters=x", "filters: did you mean filter? filters.eq=value filters by an attribute of this name"),
        ("expanD=x", "expanD: did you mean expand? expanD.eq=value filters by an attribute of this name"),
        ("port=1", "port: did you mean sort? port.eq=value filters by an attribute of this name"),
        ("page=2", "page: is not a parameter here: use offset and limit; "
                   "page.eq=value filters by an attribute of this name"),
        ("per_page=2", "per_page: is not a parameter here: use limit; "
                       "per_page.eq=value filters by an attribute of this name"),
        ("pageSize=2", "pageSize: is not a parameter here: use limit; "
                       "pageSize.eq=value filters by an attribute of this name"),
        ("order_by=x", "order_by: is not a parameter here: use sort; "
                       "order_by.eq=value filters by an attribute of this name"),
        ("q=x", "q: is not a parameter here: use a filter, such as name.containsi=text; "
                "q.eq=value filters by an attribute of this name"),
        ("pretty=true", "pretty: is not a parameter here, which has fields, limit, offset, sort and filter; "
                        "pretty.eq=value filters by an attribute of this name"),
        ("$filter=x", "'$filter' is not a parameter here: use filter"),
        ("$select=x", "'$select' is not a parameter here: use fields"),
        ("xml:lang=en", "'xml:lang' is not the name of an attribute; write \"xml:lang\""),
        ("item.0.1st=en", "'item.0.1st' is not the name of an attribute; write item.\"0\".\"1st\""),
        ("$top=5", "'$top' is not a parameter here: use limit"),
        ("criteria=x", "criteria: write each filter as a separate parameter, such as state=value; "
                       "criteria.eq=value filters by an attribute of this name"),
        ("criteria[state]=open", "'criteria[state]': write each filter as a separate parameter, such as state=value"),
        ("state<>open", "'state': <> is not an operator; write state!=value"),
        ("a b<>open", "'a b': <> is not an operator; write name!=value"),
        ('"$where"=1', "'\"$where\"' is not the name of an attribute"),
        ('name=a;"b","c"=x', "'name': the \" at position 12 is not closed"),
        ('"a=1', "'\"a=1': the \" at position 1 is not closed"),
        ("count.contains=1", "count.contains: this operator is for text, and this is a number"),
        ("created.eqi=2019", "created.eqi: this operator is for text, and this is a date-time"),
        ("party.contains=1", "party.contains: this operator is for text, and this is an object"),
        ("name.containsi=" + "x" * 501,
         "name.containsi: a text compared without regard to case has at most 500 characters"),
        ("count.between=1", "count.between: expected two values, the lowest and the highest, as .between=1,5"),
        ("count.between=1,2,3", "count.between: expected two values, the lowest and the highest, as .between=1,5"),
        ("count.between=1,x", "count.between: 'x' is not a number"),
        ("urgent.between=true,false", "urgent.between: a boolean has no order, it is only equal or not"),
        ("created.between=2019,soon", "created.between: 'soon' is not a date-time"),
        ("party.between=1,2", "party.between: is an object: name one of its members"),
        ("name.isnull=1", "name.isnull: '1' is not true or false"),
    ],
)  # fmt: skip
def test_what_cannot_match_is_rejected_with_what_is_known(raw: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as rejection:
        where(raw)
    assert str(rejection.value) == message


def test_one_edit_is_one_letter_or_a_swap_of_neighbours() -> None:
    for name in ("imit", "limt", "limiit", "lomit", "ilmit", "limti"):
        with pytest.raises(InvalidFilter, match="did you mean limit"):
            where(f"{name}=1")
    for name in ("lim", "limited", "timil", "il", "solt1", "depths1"):
        where(f"{name}=1")


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
