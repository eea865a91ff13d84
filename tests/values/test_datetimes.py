"""Date-times: what RFC 3339 allows comes out as one canonical text, anything else is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmf_sales.values.datetimes import LAST, InvalidDateTime, canonical, is_misplaced_leap_second, later, written


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2019-05-06T12:45:12.028Z", "2019-05-06T12:45:12.028Z"),
        ("2019-05-06T12:45:12Z", "2019-05-06T12:45:12.000Z"),
        ("2019-05-06T12:45:12.1Z", "2019-05-06T12:45:12.100Z"),
        ("2019-05-06T12:45:12.0289999Z", "2019-05-06T12:45:12.028Z"),
        ("2019-05-06T12:45:12.028000000000000000001Z", "2019-05-06T12:45:12.028Z"),
        ("2019-05-06t12:45:12.028z", "2019-05-06T12:45:12.028Z"),
        ("2019-05-06T12:45:12.028+00:00", "2019-05-06T12:45:12.028Z"),
        ("2019-05-06T12:45:12.028-00:00", "2019-05-06T12:45:12.028Z"),
        ("2019-05-06T12:45:12+02:00", "2019-05-06T10:45:12.000Z"),
        ("2019-12-31T23:45:12-05:30", "2020-01-01T05:15:12.000Z"),
        ("2019-05-06T00:00:00+23:59", "2019-05-05T00:01:00.000Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
        ("2016-12-31T23:59:60.5+01:00", "2016-12-31T22:59:59.999Z"),
        ("2020-02-29T00:00:00Z", "2020-02-29T00:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_every_form_of_rfc_3339_becomes_utc_with_milliseconds(text: str, result: str) -> None:
    assert canonical(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2019-05-06",
        "2019-05-013T12:45:12.028Z",
        "2019-05-06T12:45:12.028",
        "2019-05-06 12:45:12.028Z",
        "2019-05-06T12:45Z",
        "2019-05-06T12:45:12,028Z",
        "2019-05-06T12:45:12.Z",
        "2019-05-06T12:45:12.028Z\n",
        "2019-05-06T12:45:12.028+2:00",
        "2019-05-06T12:45:12.028+02",
        "2019-05-06T12:45:12.028+24:00",
        "2019-05-06T12:45:12.028+02:60",
        "2019-W19-1T12:45:12.028Z",
        "20190506T124512.028Z",
        "\u0662019-05-06T12:45:12.028Z",
        "\u06602019-05-06T12:45:12.02Z",
        "2019-05-06T12:45:1\u0662.028Z",
        "2019-13-06T12:45:12.028Z",
        "2019-02-29T12:45:12.028Z",
        "2019-05-06T24:00:00.000Z",
        "2019-05-06T12:60:12.028Z",
        "2019-05-06T12:45:61.028Z",
        "0000-01-01T00:00:00.000Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "10000-01-01T00:00:00Z",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidDateTime):
        canonical(text)


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),
    st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_the_same_instant_has_the_same_text_whatever_its_offset(moment: datetime, offset: timezone) -> None:
    at = moment.replace(tzinfo=UTC)
    there = at.astimezone(offset).isoformat()

    assert canonical(there) == written(at)
    assert canonical(written(at)) == written(at)


@given(*[st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC))] * 2)
def test_the_order_of_texts_is_the_order_in_time(one: datetime, other: datetime) -> None:
    one, other = (moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in (one, other))

    assert (written(one) < written(other)) == (one < other)


@given(st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"))
def test_any_text_is_canonical_after_one_step_or_refused(text: str) -> None:
    try:
        once = canonical(text)
    except InvalidDateTime:
        return
    assert len(once) == len(LAST)
    assert canonical(once) == once


def test_a_later_instant_stays_within_the_last() -> None:
    assert later("2019-05-06T12:45:12.028Z", timedelta(days=30)) == "2019-06-05T12:45:12.028Z"
    assert later("9999-12-31T00:00:00.000Z", timedelta(days=30)) == LAST


def test_a_moment_is_written_in_utc_wherever_its_clock_stands() -> None:
    moment = datetime(2026, 1, 1, 0, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=1)))

    assert written(moment) == "2025-12-31T23:30:00.123Z"
    assert written(moment.astimezone(UTC)) == "2025-12-31T23:30:00.123Z"


@pytest.mark.parametrize(
    ("text", "is_misplaced"),
    [
        ("2016-12-31T23:59:60Z", False),
        ("2017-01-01T00:59:60+01:00", False),
        ("2016-12-31T23:59:60+01:00", True),
        ("2016-12-31T12:30:60Z", True),
        ("2016-12-31T12:30:59Z", False),
        ("never :60", False),
    ],
)
def test_a_leap_second_ends_a_day(text: str, is_misplaced: bool) -> None:
    assert is_misplaced_leap_second(text) is is_misplaced
