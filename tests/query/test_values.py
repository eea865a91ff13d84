"""Operands take the type that the contract gives the attribute; date-times are instants and periods."""

import pytest
from tests.query.typed_attributes import where

from tmf_sales.errors import InvalidFilter
from tmf_sales.storage.conditions import Compare, Condition, Operator, Or

CREATED = ("created",)
OTHER = ("unknown",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("05", 5),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("9007199254740991", 9007199254740991),
        ("9007199254740992.0", 9007199254740992.0),
    ],
)
def test_numbers_are_compared_as_numbers(text: str, value: float) -> None:
    found = where(f"count={text}")
    assert found == Compare(("count",), Operator.EQ, value)
    assert isinstance(found, Compare)
    assert type(found.value) is type(value)


@pytest.mark.parametrize("text", ["", "5 ", "+5", ".5", "5.", "0x1", "NaN", "Infinity", "\u0661"])
def test_other_text_is_no_number(text: str) -> None:
    raw = "count=" + "".join(f"%{byte:02X}" for byte in text.encode())
    with pytest.raises(InvalidFilter, match=r"is not a number$"):
        where(raw)


def test_booleans_are_compared_as_booleans() -> None:
    for text, value in (("true", True), ("false", False)):
        found = where(f"urgent={text}")
        assert isinstance(found, Compare)
        assert found.value is value


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a", ["a"]),
        ("5", ["5", 5]),
        ("true", ["true", True]),
        ("2019-05-08", ["2019-05-08"]),
    ],
)
def test_what_the_contract_does_not_know_is_read_in_every_way(text: str, values: list[object]) -> None:
    for name in ("unknown", "anything"):
        found = where(f"{name}={text}")
        comparisons = found.conditions if isinstance(found, Or) else (found,)
        assert [each.value for each in comparisons if isinstance(each, Compare)] == values
        assert [type(each.value) for each in comparisons if isinstance(each, Compare)] == [type(v) for v in values]


def test_unknown_attributes_have_an_order_as_text_and_as_numbers() -> None:
    assert where("unknown.gt=5") == Or((Compare(OTHER, Operator.GT, "5"), Compare(OTHER, Operator.GT, 5)))
    assert where("unknown.gt=true") == Compare(OTHER, Operator.GT, "true")


@pytest.mark.parametrize(
    "text",
    [
        "2019-05-08T12:00:00.000Z",
        "2019-05-08T12:00:00Z",
        "2019-05-08t12:00:00.0001z",
        "2019-05-08T14:00:00%2B02:00",
        "2019-05-08T14:00:00+02:00",
        "2019-05-08T14:00:00.000%2002:00",
        "2019-05-08T10:30:00-01:30",
    ],
)
def test_date_times_compare_as_instants(text: str) -> None:
    assert where(f"created={text}") == Compare(CREATED, Operator.EQ, "2019-05-08T12:00:00.000Z")
    assert where(f"created.gt={text}") == Compare(CREATED, Operator.GT, "2019-05-08T12:00:00.000Z")


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2019", "2019-01-01T00:00:00.000Z", "2019-12-31T23:59:59.999Z"),
        ("2019-02", "2019-02-01T00:00:00.000Z", "2019-02-28T23:59:59.999Z"),
        ("2020-02", "2020-02-01T00:00:00.000Z", "2020-02-29T23:59:59.999Z"),
        ("2019-04", "2019-04-01T00:00:00.000Z", "2019-04-30T23:59:59.999Z"),
        ("2019-05-08", "2019-05-08T00:00:00.000Z", "2019-05-08T23:59:59.999Z"),
        ("2019-05-08T10", "2019-05-08T10:00:00.000Z", "2019-05-08T10:59:59.999Z"),
        ("2019-05-08T10:20", "2019-05-08T10:20:00.000Z", "2019-05-08T10:20:59.999Z"),
        ("2019-05-08T10:20:30", "2019-05-08T10:20:30.000Z", "2019-05-08T10:20:30.999Z"),
        ("2019-05-08T10:20:30.5", "2019-05-08T10:20:30.500Z", "2019-05-08T10:20:30.599Z"),
        ("9999", "9999-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"),
        ("9999-12-31", "9999-12-31T00:00:00.000Z", "9999-12-31T23:59:59.999Z"),
        ("0001", "0001-01-01T00:00:00.000Z", "0001-12-31T23:59:59.999Z"),
    ],
)
def test_a_date_prefix_is_the_whole_period(period: str, first: str, last: str) -> None:
    expected: dict[str, Condition] = {
        "": Compare(CREATED, Operator.PREFIX, period),
        ".gt": Compare(CREATED, Operator.GT, last),
        ".gte": Compare(CREATED, Operator.GTE, first),
        ".lt": Compare(CREATED, Operator.LT, first),
        ".lte": Compare(CREATED, Operator.LTE, last),
    }
    assert {suffix: where(f"created{suffix}={period}") for suffix in expected} == expected


def test_digits_beyond_milliseconds_are_cut() -> None:
    moment = "2019-05-08T10:20:30.123"
    assert where(f"created={moment}456") == Compare(CREATED, Operator.PREFIX, moment)
    assert where(f"created={moment}456Z") == Compare(CREATED, Operator.EQ, f"{moment}Z")
    assert where("created=2019-05-08T10:20:60Z") == Compare(CREATED, Operator.EQ, "2019-05-08T10:20:59.999Z")


@pytest.mark.parametrize(
    "text",
    [
        "", "201", "2019-", "2019-5", "2019-13", "2019-00", "2019-02-29", "2019-05-32", "2019-05-8", "2019-05-08T",
        "2019-05-08T24", "2019-05-08T10:60", "2019-05-08T10:20Z", "2019-05-08 10:20:30", "0000", "0000-01-01",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "yesterday", "20190508",
        "2019-05-08T10:20:30+2", "٢٠١٩",
    ],
)  # fmt: skip
def test_other_text_is_no_date_time(text: str) -> None:
    raw = "created.lt=" + "".join(f"%{byte:02X}" for byte in text.encode())
    with pytest.raises(InvalidFilter, match=r"^created\.lt: '.*' is not a date-time$"):
        where(raw)
