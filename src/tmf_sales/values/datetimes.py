"""Converts any RFC 3339 date-time to one canonical text: UTC, milliseconds, `Z`.

Canonical texts are 24 characters long, so every store sorts them as text in order of time. Offsets are converted to
UTC, further digits are cut, and a leap second (`:60`) becomes `:59.999`. The year in UTC must be 0001 to 9999.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import orjson

LAST = "9999-12-31T23:59:59.999Z"
LENGTH = len(LAST)
_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-9]{2}:)([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_from_iso = datetime.fromisoformat  # one look-up less for each date-time


class InvalidDateTime(ValueError):
    """Raised for text that is not an RFC 3339 date-time, or is outside the years 0001 to 9999 in UTC."""


def canonical(text: str) -> str:
    """The same date-time as canonical text; raises InvalidDateTime."""
    if is_canonical(text):
        return text
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise InvalidDateTime("expected an RFC 3339 date-time such as 2019-05-06T12:45:12.028Z")
    day, minute, second, fraction, sign, hours, minutes = found.groups()
    second, fraction = ("59", "999") if second == "60" else (second, (fraction or "")[:3].ljust(3, "0"))
    try:
        local = datetime.fromisoformat(f"{day}T{minute}{second}.{fraction}+00:00")
        if sign is None:
            return written(local)
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return written(local - offset if sign == "+" else local + offset)
    except (ValueError, OverflowError):
        raise InvalidDateTime("expected a date-time that exists, in the years 0001 to 9999 in UTC") from None


def is_misplaced_leap_second(text: str) -> bool:
    """Whether the text has a leap second that is not at the end of a UTC day (RFC 3339, 5.7).

    Raises InvalidDateTime for a date that does not exist.
    """
    found = _RFC_3339.fullmatch(text)
    return found is not None and found[3] == "60" and canonical(text)[11:16] != "23:59"


def is_canonical(text: str) -> bool:
    """Whether the text is canonical already. Avoids a regular expression, as this checks every date of every body."""
    if len(text) != LENGTH or text[4:20:3] != "--T::." or text[23] != "Z":
        return False
    if text[11:13] > "23":  # ISO 8601 and newer Python versions accept 24:00, RFC 3339 does not
        return False
    try:
        _from_iso(text)
    except ValueError:
        return False
    return True


def written(moment: datetime) -> str:
    """An aware datetime as canonical text; microseconds are cut."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    if not moment.microsecond:  # orjson writes no fraction
        return f"{moment.isoformat(timespec='milliseconds')[: LENGTH - 1]}Z"
    return f"{orjson.dumps(moment)[1:LENGTH].decode()}Z"  # takes a fifth of the time of isoformat


def later(text: str, by: timedelta) -> str:
    """The canonical text of a date-time plus `by`, or the last possible date-time."""
    try:
        return written(datetime.fromisoformat(text) + by)
    except OverflowError:
        return LAST
