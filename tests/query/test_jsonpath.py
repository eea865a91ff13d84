"""`filter=`: correlated conditions on one element, as a closed subset of JSONPath (TMF630 part 1; RFC 9535)."""

from urllib.parse import quote

import pytest
from tests.query.typed_attributes import RESOURCE, where

from tmf_sales.errors import InvalidFilter
from tmf_sales.query.query import parse_query, parse_retrieve
from tmf_sales.storage.conditions import And, Compare, Condition, Element, Exists, Not, Operator, Or, Path, Regex
from tmf_sales.storage.records import Document

PARTY: Path = ("party",)


def filtered(expression: str, *, strict: bool = False) -> Condition:
    return where(f"filter={quote(expression)}", strict=strict)


def eq(name: str, value: str | float | bool) -> Condition:
    return Compare(tuple(name.split(".")), Operator.EQ, value)


BUYER = Element(PARTY, And((eq("role", "buyer"), eq("id", "55"))))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("party[?(@.role=='buyer' && @.id=='55')]", BUYER),
        ("$.party[?(@.role=='buyer' && @.id=='55')]", BUYER),
        (" $['party'][?@.role == \"buyer\" && @['id'] == '55'] ", BUYER),
        ("party[?('buyer'==@.role && 55==@.id)]", BUYER),
        ("$[?(@.state=='held')]", eq("state", "held")),
        ("[?(@.state=='held')]", eq("state", "held")),
        ("[?(@.party[?(@.role=='buyer' && @.id=='55')])]", BUYER),
        ("$[?(@.state=='held')].party", And((eq("state", "held"), Exists(PARTY)))),
        ("party", Exists(PARTY)),
        ("party[?(@.id)]", Element(PARTY, Exists(("id",)))),
        ("party[?(!@.id)]", Element(PARTY, Not(Exists(("id",))))),
        ("party[?(@.id!='1')]", Element(PARTY, Not(eq("id", "1")))),
        ("party[?(@.id=='1')].contact", Element(PARTY, And((eq("id", "1"), Exists(("contact",)))))),
        ("party[?(@.contact.city=='x')]", Element(PARTY, eq("contact.city", "x"))),
        ("party.contact[?(@.city=='x')]", Element(("party", "contact"), eq("city", "x"))),
        ("party[?(@.@type=='x')]", Element(PARTY, eq("@type", "x"))),
        ("party[?(@['@type']=='x')]", Element(PARTY, eq("@type", "x"))),
        ("item[?(@.item[?(@.id=='1')])]", Element(("item",), Element(("item",), eq("id", "1")))),
        ("item[?(@.id=='1')].item[?(@.id=='2')]",
         Element(("item",), And((eq("id", "1"), Element(("item",), eq("id", "2")))))),
        ("party[?(@.id=~/^5/)]", Element(PARTY, Regex(("id",), "^5"))),
        ("party[?(@.id=~'a\\\\.b')]", Element(PARTY, Regex(("id",), r"a\.b"))),
        ("party[?(@.id=~/a\\/b/)]", Element(PARTY, Regex(("id",), r"a\/b"))),
        ("party[?(@.role=='it\\'s')]", Element(PARTY, eq("role", "it's"))),
        ("party[?(@['xml:lang']=='en')]", Element(PARTY, Compare(("xml:lang",), Operator.EQ, "en"))),
        ("ext['a.b']['']['7']", Exists(("ext", "a.b", "", "7"))),
        ("gr\u00f6\u00dfe", Exists(("gr\u00f6\u00dfe",))),
        ("$ . party".replace(" . ", " ."), Exists(PARTY)),
        ("party[?(@['Id']=='x')]", Element(PARTY, eq("Id", "x"))),
        ("party[ ? ! ( @.id == 'x' ) ]", Element(PARTY, Not(eq("id", "x")))),
        ("in.contains[?(@.true==true)]", Element(("in", "contains"), eq("true", True))),
    ],
)  # fmt: skip
def test_expressions_become_conditions(expression: str, expected: Condition) -> None:
    assert filtered(expression) == expected


def test_and_binds_tighter_than_or_and_parentheses_tighter_than_both() -> None:
    a, b, c = eq("role", "a"), eq("role", "b"), eq("role", "c")
    expression = "party[?(@.role=='a' || @.role=='b' && @.role=='c')]"
    assert filtered(expression) == Element(PARTY, Or((a, And((b, c)))))
    expression = "party[?((@.role=='a' || @.role=='b') && !(@.role=='c'))]"
    assert filtered(expression) == Element(PARTY, And((Or((a, b)), Not(c))))


@pytest.mark.parametrize(("operator", "expected"), [(">", "gt"), (">=", "gte"), ("<", "lt"), ("<=", "lte")])
def test_orderings_may_be_turned_around(operator: str, expected: str) -> None:
    turned = {">": "<", ">=": "<=", "<": ">", "<=": ">="}[operator]
    condition = Element(PARTY, Compare(("age",), Operator(expected), 30))
    assert filtered(f"party[?(@.age{operator}30)]") == condition
    assert filtered(f"party[?(30{turned}@.age)]") == condition


@pytest.mark.parametrize(
    ("comparison", "values"),
    [
        ("@.age=='30'", [30]),
        ("@.id==55", ["55"]),
        ("@.active==true", [True]),
        ("@.active=='true'", [True]),
        ("@.unknown=='30'", ["30"]),
        ("@.unknown==30", [30]),
        ("@.unknown==-1.5", [-1.5]),
        ("@.unknown==1e3", [1000.0]),
        ("@.unknown=='true'", ["true"]),
        ("@.unknown==-0", [0]),
        ("@.unknown==0.5E+1", [5.0]),
        ("@.unknown=='\\ud83d\\ude00'", ["\U0001f600"]),
        ("@.unknown=='\\t\\/\\''", ["\t/'"]),
        ("@.unknown==false", [False]),
    ],
)
def test_literals_take_the_attributes_type_or_keep_their_own(comparison: str, values: list[object]) -> None:
    found = filtered(f"party[?({comparison})]")
    assert isinstance(found, Element)
    assert isinstance(found.condition, Compare)
    assert [found.condition.value] == values
    assert type(found.condition.value) is type(values[0])


def test_dates_are_periods_here_too() -> None:
    expected = Element(PARTY, Compare(("since",), Operator.GT, "2019-12-31T23:59:59.999Z"))
    assert filtered("party[?(@.since>'2019')]") == expected


def test_several_expressions_are_alternatives_and_hold_with_the_rest() -> None:
    one, two = Element(PARTY, eq("id", "1")), Element(PARTY, eq("id", "2"))
    raw = f"state=held&filter={quote('party[?(@.id==1)]')}&filter={quote('party[?(@.id==2)]')}"
    assert where(raw) == And((eq("state", "held"), Or((one, two))))


@pytest.mark.parametrize(
    "expression",
    [
        "party[?(@.role=='buyer'&&@.id=='55')]",
        "party%5B?(@.role=='buyer'+&&+@.id=='55')%5d",
        "party[?(@.role=='buyer'%26%26@.id=='55')]",
    ],
)
def test_the_conjunction_need_not_be_encoded(expression: str) -> None:
    assert where(f"filter={expression}") == BUYER
    raw = f"state=held&filter={expression}&&name=a&limit=5"
    request = parse_query(raw, RESOURCE, strict=False)
    assert request.query.where == And((eq("state", "held"), eq("name", "a"), BUYER))
    for _, query in request.links(5, 50, exact=True):
        assert where(query) == request.query.where
    assert where("state=held&&name=[&&name=b") == And((eq("state", "held"), Or((eq("name", "["), eq("name", "b")))))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('', 'the expression is not complete'),
        ('$', 'the expression names nothing'),
        ("party[?(@.id=='1')", 'the expression is not complete'),
        ("party[?(@.id=='1]", 'the text at position 15 is not closed'),
        ('  party[?(@.id=1)]', "'=' at position 15 is not supported; write =="),
        ('party[0]', 'an index at position 6 is not supported'),
        ('$.party[0:2]', 'a slice at position 8 is not supported'),
        ('party[*].id', 'a wildcard at position 6 is not supported'),
        ('party.*', 'a wildcard at position 7 is not supported'),
        ("party['a','b']", 'a list of selectors at position 6 is not supported'),
        ('party[$.id]', "'$' at position 7 is not supported"),
        ('$..id', "'..' at position 2 is not supported"),
        ('$..[?(@.id)]', "'..' at position 2 is not supported"),
        ('party | item', "'|' at position 7 is not supported"),
        ('$where', "'where' at position 2 is not supported"),
        ("party['$ne']", "the name '$ne' at position 6 is not supported"),
        ("party['\\u0000']", "the name '\\x00' at position 6 is not supported"),
        (".".join("abcdefghijk"), "the name 'k' at position 21 is not supported"),
        ("party[?(@type=='x')]", "'type' at position 10 is not supported"),
        ("party[?(@=='x')]", 'the expression names nothing'),
        ("party[?(@['a'].b[0]=='x')]", 'an index at position 17 is not supported'),
        ('party[?(@.a[?(@.b)].c==1)]', 'a comparison behind a filter at position 9 is not supported'),
        ("party[?(@.a[?(@.b)]=~'c')]", 'a comparison behind a filter at position 9 is not supported'),
        ('party[?(@.id==null)]',
         "party.id: it is compared with something other than a text, a number, true or false "
         "(null: a member that is missing is !@.member)"),
        ('party[?(@.id==@.role)]',
         'party.id: it is compared with something other than a text, a number, true or false'),
        ("party[?($.id=='x')]", "'$' in a filter, where @ is the element, at position 9 is not supported"),
        ('party[?($.id)]', "'$' in a filter, where @ is the element, at position 9 is not supported"),
        ("party[?(@.id in ['x'])]", "'in' at position 14 is not supported"),
        ("party[?(@.id <> 'x')]", "'<>' at position 14 is not supported; write !="),
        ("party[?(!@.id=='x')]", "a comparison behind '!' at position 14 is not supported; write !(...)"),
        ("party[?('a'=='b')]",
         'a comparison without a member of the element, such as @.id, at position 9 is not supported'),
        ("party[?('a'==null)]",
         'a comparison without a member of the element, such as @.id, at position 9 is not supported'),
        ("party[?('a'=~@.id)]",
         'a comparison without a member of the element, such as @.id, at position 9 is not supported'),
        ('party[?length(@.id)==2]', "the function 'length' at position 8 is not supported"),
        ("party[?match(@.id, 'a')]", "the function 'match' at position 8 is not supported"),
        ('party[?(@.id=~/a/i)]', 'a flag behind a regular expression at position 18 is not supported'),
        ('party[?(@.id=~/(a|aa)+$/)]', "party.id: '(' at position 1 is not supported in a regular expression"),
        ('party[?(@.id=~3)]', 'party.id: =~ needs a regular expression between slashes'),
        ('party[?(@.age=~/3/)]', 'party.age: regex is for text, and this is a number'),
        ("party[?(@.age=='many')]", "party.age: 'many' is not a number"),
        ('party[?(@.unknown==:1.5)]', "':' at position 20 is not supported"),
        ('party[?(@.active>true)]', 'party.active: a boolean has no order, it is only equal or not'),
        ("party[?(@.id=='\\ud800')]", "party.id: '\\ud800' has a character that no text has"),
        ("party[?(@.id=~'\\ud800')]", "party.id: '\\ud800' has a character that no text has"),
        ("party[?(@.id=='\\x')]", "'\\\\x' at position 16 is not supported"),
        ('state[?(@.id)]', "a filter on 'state', which is not a list, at position 6 is not supported"),
        ('party[?(@.a)][?(@.b)]',
         'a filter on something other than a list of this name at position 14 is not supported'),
        ('party[?(@[?(@.b)])]',
         'a filter on something other than a list of this name at position 10 is not supported'),
        ('party[99999999999999999999]', "the index '99999999999999999999' at position 7 is not supported"),
        ('party[1e5]', "the index '1' at position 7 is not supported"),
        ("party" + "[?(@.a" * 7, 'nesting deeper than 12 at position 42 is not supported'),
        ("party[?(" + "||".join(["@.a"] * 70) + ")]",
         'an expression of this size at position 332 is not supported'),
        ("party[?(" + "||".join(["@.a"] * 31) + ")]", 'more than 30 conditions'),
        ('party[?(@.a==1 and @.b==2)]', "'and' at position 16 is not supported; write &&"),
        ('party[?(not @.a)]', "'not' at position 9 is not supported; write !"),
        ('party[?(@.a or @.b)]', "'or' at position 13 is not supported; write ||"),
        ('party[?(@.a==00)]', "the number '00' at position 14 is not supported"),
        ('party[?(@.a==-01)]', "the number '-01' at position 14 is not supported"),
        ('party[?(@.a==1.)]', "the number '1.' at position 14 is not supported"),
        ('party[?(@.a==.5)]', "the number '.5' at position 14 is not supported"),
        ('party[?(@.a==+1)]', "the number '+1' at position 14 is not supported"),
        ('party[?(@.a==True)]', "'True' at position 14 is not supported; write true"),
        ('party[?(@.a==TRUE)]', "'TRUE' at position 14 is not supported"),
        ('party[?(@.a==nil)]', "'nil' at position 14 is not supported; write null"),
        ('party[?(@.a==undefined)]', "'undefined' at position 14 is not supported"),
        ('party[?(!!@.a)]', "'!' at position 10 is not supported"),
        ('party[?((@.a)==1)]', "'=' at position 14 is not supported"),
        ('party[?(@.a==(1))]', "'(' at position 14 is not supported"),
        ('$. party[?(@.a)]', "' ' at position 3 is not supported"),
        ('party[?(@. a)]', "' ' at position 11 is not supported"),
        ('party[?(@.a=="x\\\'y")]', '"\\\\\'" at position 16 is not supported'),
        ("party[?(@.a=='x\ty')]", "'\\ty' at position 16 is not supported"),
        ("party[?(@.a=='\\u12')]", "'\\\\u' at position 15 is not supported"),
        ("party['a',]", 'a list of selectors at position 6 is not supported'),
        ('party[?(@.a)]]', "']' at position 14 is not supported"),
        ('party[?(@.a===1)]', "'===' at position 12 is not supported; write =="),
        ('party[?(@.a!==1)]', "'!==' at position 12 is not supported; write !="),
        ('party[?(@.a-b==1)]', "'-' at position 12 cannot stand in a name; write it as ['a-...']"),
        ('party.', 'the expression is not complete'),
        ('party[]', "']' at position 7 is not supported"),
        ('party[?@.a,?@.b]', 'a list of selectors at position 6 is not supported'),
        ('party[?(@.a & @.b)]', "'&' at position 13 is not supported; write &&"),
        ('party[?(@.a|@.b)]', "'|' at position 12 is not supported; write ||"),
        ('party[a]', "'a' at position 7 is not supported"),
        ("party[?(@.a=='a' && 'b')]", "')' at position 24 is not supported"),
        ('party[?(@.a && true)]', "')' at position 20 is not supported"),
        ('party[?(@.a==1 == true)]', "'=' at position 16 is not supported"),
        ('party[?(true==(@.a==1))]', "'(' at position 15 is not supported"),
        ('party[?(@.a==- 1)]', "'-' at position 14 is not supported"),
        ('party[?@.a==1e]', "the number '1e' at position 13 is not supported"),
        ('party[?@.a==0x1]', "the number '0x1' at position 13 is not supported"),
        ('party[?(@.a==1]', "']' at position 15 is not supported"),
        ('party[?(@.a==1))]', "')' at position 16 is not supported"),
        ('party[:2]', 'a slice at position 6 is not supported'),
        ('party[-0]', "'-0' at position 7 is not supported"),
        ('party[?@.a==/x/]', 'party.a: it is compared with something other than a text, a number, true or false'),
        ('party[?(@.a=~/x]', "'/' at position 14 is not supported"),
        ('party[?(! ]', "']' at position 11 is not supported"),
        ('party[?(true)]', "')' at position 13 is not supported"),
        ("party['\\ud800']", "the name '\\ud800' at position 6 is not supported"),
        ("party[?(@.Id=='1')]", 'names are case-sensitive; did you mean party.id?'),
        ("party[?(@.id.x=='1')]", "'party.id' is text and has no members"),
        ('state[?(@.x)]', "a filter on 'state', which is not a list, at position 6 is not supported"),
        ('party[?(!(!(!(!(!(!(!(!(!(!(!(!(@.a)]', 'nesting deeper than 12 at position 30 is not supported'),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_and_where(expression: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as refusal:
        filtered(expression)
    assert str(refusal.value) == f"filter: {message}"


def test_unknown_members_are_refused_where_strict() -> None:
    assert filtered("party[?(@.id==1)]", strict=True) == Element(PARTY, eq("id", "1"))
    with pytest.raises(InvalidFilter, match=r"^filter: 'party\.size' is not an attribute of this resource$"):
        filtered("party[?(@.size==1)]", strict=True)


# On one resource, an expression trims the lists of the answer -----------------------------------------------------


DOCUMENT: Document = {
    "id": "1",
    "state": "held",
    "item": [
        {"id": "1", "state": "open", "item": [{"id": "1.1", "state": "open"}, {"id": "1.2", "state": "held"}]},
        {"id": "2", "state": "held"},
        "a text where objects should be",
    ],
}


def trimmed(*expressions: str, fields: str = "") -> Document:
    parameters = [f"filter={quote(expression)}" for expression in expressions]
    return parse_retrieve("&".join([*parameters, f"fields={fields}"]), RESOURCE, strict=False).apply(DOCUMENT)


def test_a_filter_on_one_resource_trims_its_list() -> None:
    assert trimmed("item[?(@.state=='held')]") == {**DOCUMENT, "item": [DOCUMENT["item"][1]]}
    assert trimmed("item[?(@.state=='none')]") == {**DOCUMENT, "item": []}
    assert trimmed("item[?(@.id=='1')]", "item[?(@.id=='2')]") == {**DOCUMENT, "item": DOCUMENT["item"][:2]}
    assert trimmed("item[?(@.id=='2')]", fields="item.state") == {"id": "1", "item": [{"state": "held"}]}


def test_a_filter_trims_lists_in_lists() -> None:
    first = DOCUMENT["item"][0]
    inner = {**first, "item": [first["item"][1]]}
    assert trimmed("item.item[?(@.state=='held')]") == {**DOCUMENT, "item": [inner, *DOCUMENT["item"][1:]]}
    assert trimmed("item[?(@.state=='open')].item[?(@.state=='held')]") == {**DOCUMENT, "item": [inner]}


def test_a_filter_leaves_what_is_no_list_alone() -> None:
    for expression in ("unknown[?(@.id)]", "unknown.item[?(@.id)]", "item.unknown[?(@.id)]", "anything.item[?(@.id)]"):
        assert trimmed(expression) == DOCUMENT
    document = {"id": "1", "item": {"state": "held"}}
    view = parse_retrieve(f"filter={quote('item[?(@.x)]')}", RESOURCE, strict=False)
    assert view.apply(document) == document


@pytest.mark.parametrize("expression", ["item", "$[?(@.state=='held')]", "item[?(@.id)].state"])
def test_a_filter_that_names_no_list_of_one_resource_is_refused(expression: str) -> None:
    with pytest.raises(InvalidFilter, match=r"^filter: .* does not end at a list with a filter"):
        trimmed(expression)
