"""Query strings from clients who mean harm, and random ones that look like the query language."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

CORPUS = [
    "state[$ne]=",
    "state[%24ne]=open",
    "$where=sleep(1000)",
    "%24where=function()%7Breturn%20true%7D",
    "name=%7B%22%24gt%22%3A%22%22%7D",
    "name='%20OR%20'1'='1",
    "name='; DROP TABLE resource;--",
    "name'%20OR%201=1",
    "name%00=a",
    "name=%00",
    "name=%FF%FE",
    "name=%ED%A0%80",
    "__proto__.x=1",
    "constructor.prototype=1",
    "name.regex=(a|aa)%2B$",
    "name.regex=(a%2B)%2B$",
    "name.regex=" + "a%3F" * 40 + "a" * 40,
    "name.regex=" + ".*" * 30,
    "name.regex=" + "[" * 90,
    "offset=99999999999999999999999999",
    "limit=-1",
    "limit=1e9",
    "sort=" + "-" * 8000,
    "sort=" + ",".join(["name"] * 1000),
    "fields=" + "," * 8000,
    "fields=" + ",".join(["a"] * 4000),
    "fields=" + ".".join(["a"] * 4000),
    "name=" + "," * 8000,
    "name=" + ";" * 8000,
    "name=" + '"' * 8000,
    'name="' + '""' * 4000,
    "&" * 8000,
    "=" * 8000,
    "a=1;" * 2000,
    "<>" * 4000,
    "count=" + "9" * 8000,
    "created=" + "2019-" * 1500,
    "filter=" + "[" * 8000,
    "filter=" + "(" * 8000,
    "filter=" + "[?(@.a" * 1300,
    "filter=" + "a" * 8000,
    "filter=" + ".a" * 4000,
    "filter=a[?(" + "!" * 8000,
    "filter=a[?(@.a" + "==1" * 2500 + ")]",
    "filter=a[?(@.a" + " in b" * 1500 + ")]",
    "filter=a[?(@.a=='" + "\\u0041" * 1300 + "')]",
    "filter=a[?(@.a=~/" + "[\\x00-\\U0010ffff]" * 400 + "/i)]",
    "filter=a[?(@.a=~/(a{1000}){1000}/)]",
    "filter=a[?(@.a==" + "9" * 8000 + ")]",
    "filter=a[" + "9" * 8000 + "]",
    "filter=a[?(@.a" + "['b']" * 1500 + ")]",
    "filter=a[?(" + "'" * 8000,
    "filter=a[?(" + "/" * 8000,
    "filter=a[?__import__('os').system('id')]",
    "filter=a[(@.length-1)]",
    "filter=$..*",
    "filter=a[?(@.a==1)]&" * 380,
    "filter=[" + "&" * 8000,
]

REPEATABLE = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.sampled_from(
    [
        *("name", "state", "created", "count", "price", "urgent", "party.id", "party", "x.y", "id", "state.x", "Name"),
        *('"xml:lang"', '"a.b"', 'x."y"', 'x."', '""', '"$x"', '"a""b"', '"0"', "Limit", "page", "ofset", "criteria"),
    ]
)
SUFFIXES = st.sampled_from(
    [
        *("", "", ".eq", ".ne", ".gt", ".lte", ".regex", ".in", ".exists", "[$ne]", "..", ".$gt", ".nin", ".isnull"),
        *(".contains", ".startswith", ".endswith", ".eqi", ".nei", ".ini", ".nini", ".containsi", ".between", ".gtt"),
    ]
)
LITERALS = st.sampled_from(["=", "=", "==", "!=", "%21=", "<>", ">", ">=", "%3E", "%3C%3D", "*=", "=~", "%3D", ""])
VALUES = st.one_of(
    st.text(max_size=12),
    st.text(max_size=12).map(quote),
    st.text(alphabet='0123456789-:TZ.+eE%2C,;"', max_size=24),
    st.text(alphabet="ab.*+?[]^$\\{}1,|()", max_size=12).map(quote),
    st.sampled_from(["true", "5", "2019-05", "open,held", "%2522a%252C%22"]),
)
PAIRS = st.tuples(NAMES, SUFFIXES, LITERALS, VALUES).map("".join)
RESERVED = st.tuples(
    st.sampled_from(["fields=", "sort=", "limit=", "offset=", "filter=", "depth=", "expand="]), VALUES
).map("".join)
WORDS = st.sampled_from(
    [
        *("$", "@", ".", "..", "[", "]", "[?", "(", ")", "?(", ")]", "&&", "||", "!", "==", "!=", "<", ">", "=~"),
        *(",", ":", "*", " ", " in ", " contains ", "~", "#", "^", "_", "|", "&", "\\", "'", "length("),
        *("party", "id", "'x'", '"y"', "/a+/", "/a/i", "1", "-2.5", "1e3", "true", "null"),
        *("@.id", "@.state=='open'", "party[?(@.id==1)]"),
    ]
)
EXPRESSIONS = st.lists(WORDS, max_size=14).map(lambda words: "filter=" + quote("".join(words)))
QUERIES = st.lists(st.one_of(PAIRS, RESERVED, EXPRESSIONS), max_size=5).flatmap(
    lambda parts: st.sampled_from(["&", ";"]).map(lambda separator: separator.join(parts))
)
