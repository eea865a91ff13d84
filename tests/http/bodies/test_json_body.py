"""JSON that can be stored, found and sent on unchanged, and all that is not."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmf_sales.errors import MalformedBody
from tmf_sales.http.json_body import DEPTH_LIMIT, WRITTEN_LEVELS, parse_json_body
from tmf_sales.values.json_numbers import is_exact

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(
    ["a", "$a", ".a", "a\0", ":", '"$']
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)


def names_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {*value, *(name for inner in value.values() for name in names_in(inner))}
    return {name for inner in value for name in names_in(inner)} if isinstance(value, list) else set()


@given(values, st.sampled_from([None, 2]), st.booleans())
def test_any_value_comes_through_unless_a_name_has_a_meaning_to_a_store(
    value: Any, indent: int | None, ascii: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii).encode()

    if any(name.startswith(("$", ".")) or "\0" in name for name in names_in(value)):
        with pytest.raises(MalformedBody, match="starts with"):
            parse_json_body(text)
    else:
        assert orjson.dumps(parse_json_body(text)) == orjson.dumps(value)


@given(
    st.lists(st.tuples(texts.filter(lambda name: name[:1] not in {"$", "."} and "\0" not in name), values), max_size=4)
)
def test_a_name_is_there_once(pairs: list[tuple[str, Any]]) -> None:
    members = (f"{json.dumps(name)}:{json.dumps(names_of_no_meaning(value))}" for name, value in pairs)
    text = f"{{{','.join(members)}}}"

    if len({name for name, _ in pairs}) < len(pairs):
        with pytest.raises(MalformedBody, match="is there twice in one object"):
            parse_json_body(text.encode())
    else:
        assert len(parse_json_body(text.encode())) == len(pairs)


def names_of_no_meaning(value: Any) -> Any:
    if isinstance(value, dict):
        return {f"n{name}": names_of_no_meaning(inner) for name, inner in value.items() if "\0" not in name}
    return [names_of_no_meaning(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("space", ["", " ", "\n\t"])
@pytest.mark.parametrize(
    "text", ['{%s".a":1}', '{"a":1,%s".b":1}', '{"a":true,%s".b":1}', '[{"a":"b","c":[{%s"."\n:1}]}]']
)
def test_a_name_that_begins_with_a_dot_is_refused(text: str, space: str) -> None:
    with pytest.raises(MalformedBody, match="starts with"):
        parse_json_body((text % space).encode())


@pytest.mark.parametrize("text", ['{"a":".b"}', '{"a":["x",".b"]}', '[".a"]', '{"a":"{\\".b\\":1}","a.b":"c.d"}'])
def test_a_dot_is_allowed_elsewhere(text: str) -> None:
    assert parse_json_body(text.encode()) == json.loads(text)


@pytest.mark.parametrize("brackets", ["[]", "{}"])
@pytest.mark.parametrize("level", [DEPTH_LIMIT + 1, WRITTEN_LEVELS, WRITTEN_LEVELS + 1, 1000])
def test_depth_has_a_bound(brackets: str, level: int) -> None:
    def nested(levels: int) -> bytes:
        inner = '"a":' if brackets == "{}" else ""
        return ((brackets[0] + inner) * (levels - 1) + brackets + brackets[1] * (levels - 1)).encode()

    assert orjson.dumps(parse_json_body(nested(DEPTH_LIMIT))) == nested(DEPTH_LIMIT)
    assert parse_json_body(b"[%b,{}]" % nested(DEPTH_LIMIT - 1)) == [json.loads(nested(DEPTH_LIMIT - 1)), {}]
    with pytest.raises(MalformedBody, match="nested more than 64 levels deep"):
        parse_json_body(nested(level))


@pytest.mark.parametrize("levels", [1, DEPTH_LIMIT])
def test_a_body_with_many_objects_is_checked_like_any_other(levels: int) -> None:
    many = b"[%b]" % b",".join([b'{"a": 1.0}'] * (DEPTH_LIMIT + levels))

    assert len(parse_json_body(many)) == DEPTH_LIMIT + levels
    with pytest.raises(MalformedBody, match="the member name 'a' is there twice"):
        parse_json_body(many.replace(b"1.0}]", b'1.0, "a": 1.0}]'))
    with pytest.raises(MalformedBody, match="/64/a: the number 9007199254740992"):
        parse_json_body(many.replace(b"1.0", b"9007199254740992").replace(b"9007199254740992", b"1", DEPTH_LIMIT))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(parse_json_body(b"[%b]" % b",".join([b"[{}]"] * 100))) == 100


def test_the_number_of_objects_and_lists_has_a_bound() -> None:
    def with_containers(number: int) -> bytes:
        return b'{"a":[%b],"text":"%b"}' % (b",".join([b"{}"] * (number - 2)), b"[{" * 10)

    parse_json_body(with_containers(10), container_limit=10)
    with pytest.raises(MalformedBody, match="the body has more than 10 objects and lists"):
        parse_json_body(with_containers(11), container_limit=10)


@pytest.mark.parametrize("string", [b"[", b"[{", b'\\"[', b"\\\\", b'\\\\\\"{', b"", b"x", b'[\\"'])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_brackets_in_strings_are_no_containers(string: bytes, number: int) -> None:
    text = b'{"a":[%b],"b":"[[[[["}' % b",".join([b'"%b"' % string] * number)

    assert len(parse_json_body(text, container_limit=2)["a"]) == number
    with pytest.raises(MalformedBody, match="more than 1 objects"):
        parse_json_body(text, container_limit=1)


@pytest.mark.parametrize("text", [b"9007199254740991", b"-9007199254740991", b"0.30000000000000004", b"1e22", b"[1,2]"])
def test_numbers_up_to_the_bound_are_taken(text: bytes) -> None:
    assert orjson.dumps(parse_json_body(text)) == orjson.dumps(json.loads(text))


@pytest.mark.parametrize(
    "text", [b"9007199254740992", b"-9007199254740992", b'{"a":[18446744073709551616]}', b"1" + b"0" * 400]
)
def test_integers_beyond_the_bound_are_refused(text: bytes) -> None:
    with pytest.raises(MalformedBody) as refused:
        parse_json_body(text)

    assert len(refused.value.message) < 120


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["[%s]", '{"e":"-", "n": [1,%s ,2]}', '{"code":"1e","n":%s,"hash":"e-100 00112233"}']),
)
def test_a_number_is_taken_if_it_is_kept_exactly(number: str, body: str) -> None:
    text = (body % number).encode()

    if is_exact(number):
        assert orjson.dumps(parse_json_body(text)) == orjson.dumps(json.loads(text))
    else:
        with pytest.raises(MalformedBody):
            parse_json_body(text)


@pytest.mark.parametrize(
    "number",
    [b"0.1234567890123456789", b"12345678901.2345678", b"12345678.90123457891", b"1e-400", b"1.2345678E-0320"],
)
def test_decimals_that_would_change_are_refused(number: bytes) -> None:
    with pytest.raises(MalformedBody, match="/a/1: the number"):
        parse_json_body(b'{"a": [1, %b]}' % number)


@pytest.mark.parametrize("text", [b"0123 4567 8901 2345", b"12345678901234567890", b"e-1000", b"1E-999"])
def test_digits_in_strings_are_no_numbers(text: bytes) -> None:
    assert parse_json_body(b'{"a": "%b"}' % text) == {"a": text.decode()}


@pytest.mark.parametrize("text", [b"", b" ", b"\n\t"])
def test_nothing_is_no_json(text: bytes) -> None:
    with pytest.raises(MalformedBody, match="the body is empty"):
        parse_json_body(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b'{"name":"\xff"}', "line 1, column 10: "),
        (b'{"name":"\xed\xa0\x80"}', "line 1, column 10: "),
        ('{"name":\n"äöü\n'.encode() + b'x\xff"}', "line 3, column 2: "),
        (b'{"a": 1, "b": [0, {"c": 1, "c": 2}]}', "/b/1: the member name 'c' is there twice"),
        (b'{"a": 1, "a": {"c": 1, "c": 2}}', "the body: the member name 'a' is there twice"),
        (b'{"a": {"c": 1, "c": 2}, "b": 1, "a": 2}', "the body: the member name 'a' is there twice"),
        (b'{"a": [[], {"b/c": [{"$gt": 1}]}]}', "/a/1/b~1c/0: the member name '$gt' starts with"),
        (b'{"a": [[], {"b": 18446744073709551616}]}', "/a/1/b: the number 18446744073709551616"),
        (b'{"a": [1, 2], "b": [3, 9007199254740992]}', "/b/1: the number 9007199254740992"),
        (b'{"y": 1e400, "y": 1}', "line 1, column 7: the number is larger than a double holds"),
        (b'{"a": 0.12345678901234567, "a": [9007199254740993]}', "the body: the member name 'a' is there twice"),
        (b'{"y": 1e400, "name":}', "line 1, column 7: the number is larger than a double holds"),
        (b"9007199254740992", "the body: the number 9007199254740992"),
        (b'{"a": [], "b": ' + b"[" * 64 + b"]" * 64 + b"}", f"/b{'/0' * 49}...: the body is nested"),
        (b'{"%b": {"$": 1}}' % (b"n" * 5000), f"/{'n' * 60}...: the member name '$' starts with"),
    ],
)
def test_a_refusal_says_the_place(text: bytes, place: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        parse_json_body(text)

    assert refused.value.message.startswith(place)


@given(st.binary(max_size=20))
def test_any_bytes_are_a_value_or_refused(text: bytes) -> None:
    with contextlib.suppress(MalformedBody):
        parse_json_body(text)
