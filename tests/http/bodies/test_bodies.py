"""Bodies that are not what they seem (RFC 8259, RFC 7493), refused with messages that repeat almost nothing of them."""

from __future__ import annotations

import pytest
from tests.api import JSON_PATCH, MERGE_PATCH, Api, Document, as_bytes, refusal
from tests.http.conftest import SALES, Services
from tests.http.waiting import response_beside_others

LEAD = {"name": "Campaign 17 salesLead 7852"}

MALFORMED = {
    "cut off": (b'{"name": "x",', "line 1, column 14"),
    "cut off later": (b'{\n  "name": "x",\n  "note": [\n', "line 4, column 1"),
    "nothing": (b"", "the body is empty"),
    "only blanks": (b" \r\n\t", "the body is empty"),
    "a comma too many": (b'{"name": "x",}', "line 1, column 13"),
    "single quotes": (b"{'name': 'x'}", "line 1, column 2"),
    "a comment": (b'{"name": "x" /* y */}', "line 1, column 14"),
    "two values": (b'{"name": "x"} {}', "line 1, column 15"),
    "a zero in front": (b'{"name": "x", "y": 01}', "line 1, column "),
    "a plus": (b'{"name": "x", "y": +1}', "line 1, column 20"),
    "no digit after the point": (b'{"name": "x", "y": 1.}', "line 1, column "),
    "NaN": (b'{"name": "x", "y": NaN}', "line 1, column 20"),
    "Infinity": (b'{"name": "x", "y": Infinity}', "line 1, column 20"),
    "minus Infinity": (b'{"name": "x", "y": -Infinity}', "line 1, column "),
    "1e400": (b'{"name": "x", "y": 1e400}', "/y: the number 1e400 is outside the range of a double"),
    "minus 1e400": (b'{"name": "x", "y": [-1e400]}', "/y/0: the number -1e400 is outside the range"),
    "True": (b'{"name": "x", "y": True}', "line 1, column 20"),
    "5000 digits": (b'{"name": "x", "y": ' + b"9" * 5000 + b"}", "9999 is beyond 2^53-1"),
    "65 bits": (b'{"name": "x", "y": 18446744073709551616}', "18446744073709551616 is beyond 2^53-1"),
    "64 bits": (b'{"name": "x", "y": 18446744073709551615}', "18446744073709551615 is beyond 2^53-1"),
    "2^53": (b'{"name": "x", "y": 9007199254740992}', "9007199254740992 is beyond 2^53-1"),
    "minus 2^53": (b'{"name": "x", "y": [[-9007199254740992]]}', "-9007199254740992 is beyond 2^53-1"),
    "no UTF-8": (b'{"name": "\xff"}', "UTF-8"),
    "UTF-8 of a surrogate": (b'{"name": "\xed\xa0\x80"}', "UTF-8"),
    "overlong UTF-8": (b'{"name": "\xc0\xaf"}', "UTF-8"),
    "UTF-16": ('{"name": "x"}'.encode("utf-16"), "UTF-8"),
    "UTF-16 without a mark": ('{"name": "x"}'.encode("utf-16-le"), "looks like UTF-16 or UTF-32"),
    "a byte order mark": (b'\xef\xbb\xbf{"name": "x"}', "line 1, column 1: the body starts with a byte order mark"),
    "a lone surrogate": (b'{"name": "\\ud800"}', "line 1, column "),
    "a lone low surrogate in a name": (b'{"name": "x", "\\udc00": 1}', "line 1, column "),
    "a control character": (b'{"name": "a\nb"}', "line 1, column "),
    "a NUL": (b'{"name": "x"}\0', "line 1, column "),
    "a name twice": (b'{"name": "x", "name": "y"}', "'name' is there twice"),
    "a name twice, deep": (b'{"name": "x", "a": [{"b": {"c": 1, "d": 2, "c": 3}}]}', "'c' is there twice"),
    "a name twice, once escaped": (b'{"name": "x", "n\\u0061me": "y"}', "'name' is there twice"),
    "a name twice, a colon too many": (b'{"name": "x", "name": "\\u003a"}', "'name' is there twice"),
    "an empty name twice": (b'{"name": "x", "": 1, "": 2}', "'' is there twice"),
    "a dollar in front": (b'{"name": "x", "$where": "1"}', "'$where' starts with $ or . or holds a NUL"),
    "a dollar in front, escaped": (b'{"name": "x", "\\u0024where": "1"}', "'$where' starts with"),
    "a dollar in front, deep": (b'{"name": "x", "a": [{"b": {"$gt": ""}}]}', "'$gt' starts with"),
    "a dot in front": (b'{"name": "x", ".b": 1}', "'.b' starts with"),
    "a NUL in a name": (b'{"name": "x", "a\\u0000b": 1}', "'a\\x00b' starts with"),
    "5000 brackets": (b"[" * 5000, "line 1, column "),
    "65 levels": (b'{"name": "x", "y": ' + b"[" * 64 + b"]" * 64 + b"}", "nested more than 64 levels deep"),
    "300 levels": (b'{"y":' * 300 + b"1" + b"}" * 300, "nested more than 64 levels deep"),
}


@pytest.fixture(scope="session")
def store() -> str:
    """What is tested here happens before any store is asked."""
    return "memory"


@pytest.fixture
def lead(leads: Api) -> Document:
    return leads.create("/salesLead", LEAD)


@pytest.mark.parametrize(("body", "said"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_strict_json_is_refused(leads: Api, body: bytes, said: str) -> None:
    message = refusal(leads.post("/salesLead", body), 400, "malformedBody")

    assert said in message
    assert len(message) < 160


@pytest.mark.parametrize("media_type", [MERGE_PATCH, JSON_PATCH, "application/json-patch-query+json"])
@pytest.mark.parametrize("body", [body for body, _ in MALFORMED.values()], ids=MALFORMED.keys())
def test_patches_are_read_as_strictly(leads: Api, lead: Document, body: bytes, media_type: str) -> None:
    at = f"/salesLead/{lead['id']}"

    refusal(leads.patch(at, body, as_type=media_type), 400, "malformedBody")
    assert leads.get(at).json() == lead


@pytest.mark.parametrize("media_type", [JSON_PATCH, "application/json-patch-query+json"])
@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/$where", "value": 1},
        {"op": "add", "path": "/.dot", "value": 1},
        {"op": "add", "path": "/a\0b", "value": 1},
        {"op": "add", "path": "/channel/$set", "value": 1},
        {"op": "add", "path": "/note/$set?text=n", "value": 1},
        {"op": "add", "path": "$['$where']", "value": 1},
        {"op": "copy", "from": "/name", "path": "/$copy"},
        {"op": "move", "from": "/channel/name", "path": "/channel/.moved"},
    ],
    ids=lambda operation: operation["path"],
)
def test_a_json_patch_makes_no_name_that_a_body_may_not_have(leads: Api, operation: Document, media_type: str) -> None:
    lead = leads.create("/salesLead", {**LEAD, "channel": {"id": "1", "name": "c"}, "note": [{"id": "1", "text": "n"}]})

    message = refusal(leads.patch(f"/salesLead/{lead['id']}", [operation], as_type=media_type), 400, "invalidPatch")

    assert message.startswith(f"operation 0 ({operation['op']} ")
    assert "starts with $ or . or holds a NUL character" in message
    assert leads.get(f"/salesLead/{lead['id']}").json() == lead


@pytest.mark.parametrize("body", [body for body, _ in MALFORMED.values()], ids=MALFORMED.keys())
def test_registrations_are_read_as_strictly(leads: Api, body: bytes) -> None:
    refusal(leads.post("/hub", body), 400, "malformedBody")


def test_three_hundred_nested_items_are_too_deep(quotes: Api) -> None:
    body = b'{"quoteItem":[' * 300 + b"{}" + b"]}" * 300

    assert "nested more than 64 levels" in refusal(quotes.post("/quote", body), 400, "malformedBody")


def test_sixty_four_levels_are_not_too_deep(quotes: Api) -> None:
    # The outermost object and 31 items take two levels each, the innermost item the other two with its list.
    body = b'{"quoteItem":[' * 31 + b'{"x":[]}' + b"]}" * 31

    quote = quotes.create("/quote", body)

    assert quotes.changed(f"/quote/{quote['id']}", {"quoteItem": quote["quoteItem"]}) == quote


def test_depth_is_counted_where_brackets_are_not_in_texts(leads: Api) -> None:
    assert leads.create("/salesLead", {**LEAD, "description": "[{" * 5000})["description"] == "[{" * 5000


def test_colons_and_names_in_texts_are_only_text(leads: Api) -> None:
    texts = {"description": '{"a":1,"a":2} "$gt": ".b": \\u0000 12345678901234567890', "x": [":", "::", {"y": ":"}]}

    assert texts.items() <= leads.create("/salesLead", {**LEAD, **texts}).items()


@pytest.mark.parametrize("text", [b"9007199254740991", b"-9007199254740991", b"1e22", b"0.30000000000000004", b"-0.0"])
def test_numbers_that_doubles_hold_are_taken(leads: Api, text: bytes) -> None:
    assert leads.post("/salesLead", b'{"name":"x","y":%b}' % text).status_code == 201


def test_no_violation_repeats_the_body(leads: Api) -> None:
    secret = "s3cret-" * 20
    body = {
        "name": [secret],
        "status": secret,
        "priority": {"x": secret},
        "estimatedRevenue": {"unit": secret, "value": secret},
        "validFor": secret,
        "relatedParty": [{"id": {secret: secret}}],
        "note": {secret: 1},
    }

    answer = leads.post("/salesLead", body)
    message = refusal(answer, 400, "invalidBody")

    assert secret[:40] not in answer.text
    for place in body:
        assert f"/{place}" in message


def test_long_names_are_cut_in_pointers(leads: Api) -> None:
    body = {**LEAD, "relatedParty": [{"n" * 5000: 1}], "channel": {"id": "1", "a/b~c\n\u202e": 1, "name": 5}}

    message = refusal(leads.post("/salesLead", body), 400, "invalidBody")

    assert len(message) < 300
    assert message.isascii()


@pytest.mark.parametrize("extra", [0, 1])
def test_a_body_is_at_most_as_long_as_the_operator_allows(leads: Api, extra: int) -> None:
    """The default is 4 MiB, to the byte."""
    text = as_bytes({"name": "x", "padding": ""})
    body = text.replace(b'""', b'"%b"' % (b"a" * (4 * 1024 * 1024 - len(text) + extra)))

    answer = leads.request(
        "POST", "/salesLead?fields=none", {"Content-Type": "application/json", "Expect": "100-continue"}, content=body
    )

    if extra:
        assert refusal(answer, 413, "bodyTooLarge") == "expected at most 4194304 bytes"
    else:
        assert answer.status_code == 201


def test_others_are_answered_while_a_long_body_is_checked(services: Services) -> None:
    service = services.on("memory", TMF_SALES_REQUEST_DEADLINE="60")
    leads = services.api(service, SALES)
    names = b",".join(b'"a%d":%d' % (number, number) for number in range(150_000))
    doubled = b'{"name":"x",%b,"a0":1}' % names

    answer = response_beside_others(service, lambda: leads.post("/salesLead", doubled))

    assert "'a0' is there twice" in refusal(answer, 400, "malformedBody")


def test_a_body_of_too_many_containers_is_rejected_before_it_is_parsed(leads: Api) -> None:
    lists = b'{"name":"x","a":[%b]}' % b",".join([b"[]"] * 100_001)
    in_a_text = b'{"name":"x","a":"%b"}' % (b"[" * 100_001)

    message = refusal(leads.post("/salesLead", lists), 400, "malformedBody")

    assert message == "the body has more than 100000 objects and lists"
    assert leads.post("/salesLead", in_a_text).status_code == 201
