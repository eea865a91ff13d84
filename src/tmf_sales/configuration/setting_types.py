"""Converts the text of a setting to a value: numbers, switches, lists, durations, URLs, files.

Guarantee: a parser returns a value or raises ValueError, and every kind describes the expected value for the operator.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate

MEMORY = "memory:"
# Only algorithms with a public key: no shared secrets, and not "none".
JWT_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Kind:
    """Parses the text of a setting; `expected` completes the error message for an invalid text.

    `separator`: what separates the elements of a list in the text; None for other kinds.
    """

    field: fields.Field[Any]
    expected: str
    separator: str | None = None


class Parsed(fields.Field[Any]):
    """A field that `parse` converts; `parse` raises ValueError for an invalid text."""

    def __init__(self, parse: Callable[[str], Any]) -> None:
        super().__init__()
        self.parse = parse

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            return self.parse(value) if isinstance(value, str) else value
        except ValueError as error:
            raise ValidationError("does not fit") from error


def whole_number(least: int, most: int | None = None) -> Kind:
    span = f"from {least} to {most}" if most is not None else f"of at least {least}"
    return Kind(fields.Integer(validate=validate.Range(least, most)), f"a whole number {span}")


def one_of(*choices: str) -> Kind:
    return Kind(fields.String(validate=validate.OneOf(choices)), f"one of {', '.join(choices)}")


def read_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part) for part in read_list(text))


def read_store(text: str) -> str:
    parts = urlsplit(text)
    is_file = parts.scheme == "sqlite" and not (parts.netloc or parts.query or parts.fragment)
    is_server = parts.scheme in {"mongodb", "mongodb+srv"} and bool(parts.netloc)
    if text != MEMORY and not is_server and not (is_file and parts.path.strip("/") and not text.endswith("/")):
        raise ValueError(text)
    return text


def read_url(text: str) -> str:
    parts = urlsplit(text)
    is_clean = re.fullmatch(r"""[^\s"<>\\^`{|}]+""", text) and text.isascii()
    if not is_clean or parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(text)
    return text.rstrip("/")


def read_origins(text: str) -> tuple[str, ...]:
    """Accept origins as browsers send them (RFC 6454, 6.2), or `*` alone."""
    if text.strip() == "*":
        return ("*",)
    origins = tuple(origin.lower() for origin in read_list(text))
    for origin in origins:
        parts = urlsplit(origin)
        has_host = re.fullmatch(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d+)?", parts.netloc)
        is_origin = parts.scheme in {"http", "https"} and has_host
        has_default_port = parts.port == {"http": 80, "https": 443}.get(parts.scheme)
        if not is_origin or has_default_port or origin != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(origin)
    return origins


def read_place(text: str) -> str:
    """Accept an http or https URL, or the path of a file that exists."""
    return text if urlsplit(text).scheme in {"http", "https"} and urlsplit(text).hostname else str(read_file(text))


def read_algorithms(text: str) -> tuple[str, ...]:
    names = read_list(text)
    if not names or not set(names) <= set(JWT_ALGORITHMS):
        raise ValueError(text)
    return names


def read_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError(text)
    return path


def read_folders(text: str) -> tuple[Path, ...]:
    """Accept existing folders, separated as in PATH: by colons, on Windows by semicolons."""
    folders = tuple(Path(part) for part in text.split(os.pathsep) if part)
    if not folders or not all(folder.is_dir() for folder in folders):
        raise ValueError(text)
    return folders


def read_bytes(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,11}) ?(KiB|MiB)?", text)
    if not match:
        raise ValueError(text)
    return int(match[1]) * {None: 1, "KiB": 1024, "MiB": 1024 * 1024}[match[2]]


def read_duration(text: str) -> timedelta:
    """Parse an ISO 8601 duration, without years and months, which have no fixed length."""
    match = re.fullmatch(r"P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,5})S)?)?", text)
    numbers = match.groups(default="0") if match else ()
    duration = timedelta(**dict(zip(("weeks", "days", "hours", "minutes", "seconds"), map(int, numbers), strict=False)))
    if not duration or text.endswith("T"):
        raise ValueError(text)
    return duration


TEXT = Kind(fields.String(validate=validate.Length(1)), "a text")
SWITCH = Kind(fields.Boolean(), "true or false")
SECONDS = Kind(fields.Float(validate=validate.Range(0.001, 3600)), "a number of seconds up to 3600")
SIZE = Kind(Parsed(read_bytes), "a number of bytes, or one with KiB or MiB behind it")
DURATION = Kind(Parsed(read_duration), "an ISO 8601 duration of weeks, days, hours, minutes or seconds, such as P30D")
LIST = Kind(Parsed(read_list), "a list, separated by commas", ",")
NETWORKS = Kind(Parsed(read_networks), "a list of networks such as 10.0.0.0/8, separated by commas", ",")
ORIGINS = Kind(Parsed(read_origins), "origins such as https://app.example.com, separated by commas, or * alone", ",")
FILE = Kind(Parsed(read_file), "the path of a file that exists")
FOLDERS = Kind(Parsed(read_folders), f"folders that exist, separated by {os.pathsep!r}", os.pathsep)
URL = Kind(Parsed(read_url), "an absolute http or https URL without query")
PLACE = Kind(Parsed(read_place), "an http or https URL, or the path of a file that exists")
ALGORITHMS = Kind(Parsed(read_algorithms), f"a list from {', '.join(JWT_ALGORITHMS)}", ",")
STORE = Kind(Parsed(read_store), "mongodb://HOST/DATABASE, sqlite:///ABSOLUTE/PATH, sqlite:RELATIVE/PATH or memory:")
