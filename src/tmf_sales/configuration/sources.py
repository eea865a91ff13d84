"""Collects the texts of the settings from options, environment variables, files and the configuration file.

Guarantee: an option comes before a variable, a variable before the configuration file. No message shows a value that
may be secret.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tmf_sales.configuration.names import CONFIG, FROM_FILE, InvalidSettings, option_of, variable_of

SECRET_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Given:
    """The value of a setting before it is parsed. `source`: where it is from, for messages."""

    value: object
    source: str
    is_from_file: bool = False


def read_configuration(environ: Mapping[str, str], options: Mapping[str, object]) -> tuple[str, dict[str, Any]]:
    """The path of the configuration file, and what is in it; raises InvalidSettings. Both are empty without one."""
    option = options.get(CONFIG)
    path, source = (option, option_of(CONFIG)) if option else (environ.get(variable_of(CONFIG)), variable_of(CONFIG))
    if not path:
        return "", {}
    place = ascii(str(path))
    try:
        return str(path), tomllib.loads(Path(str(path)).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings(f"{source} is {place}, which is not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise InvalidSettings(f"{source} is {place}, which is not valid TOML: expected UTF-8") from None
    except (OSError, ValueError) as error:
        reason = _reason_of(error)
        raise InvalidSettings(f"{source} is {place}, which cannot be read: {reason}") from None


def from_variables(names: Iterable[str], secrets: Collection[str], environ: Mapping[str, str]) -> dict[str, Given]:
    """What the environment gives; an empty variable gives nothing. `secrets`: names that may also be in a file."""
    given = {
        name: Given(environ[variable_of(name)], variable_of(name)) for name in names if environ.get(variable_of(name))
    }
    paths = {name: environ.get(variable_of(name + FROM_FILE)) for name in secrets}
    for name, path in paths.items():
        if path:
            _reject_second(given.get(name), variable_of(name + FROM_FILE))
            given[name] = _read_secret(path, variable_of(name + FROM_FILE))
    return given


def from_configuration(
    file: str, content: Mapping[str, Any], separators: Mapping[str, str | None], secrets: Collection[str]
) -> dict[str, Given]:
    """What the configuration file gives. `separators`: by name, what separates a list's elements; None: no list."""
    given: dict[str, Given] = {}
    for name, separator in separators.items():
        if name in content and (text := _as_text(file, name, content[name], separator)):
            given[name] = Given(text, f"{file}: {name}")
    for name in secrets:
        key = name + FROM_FILE
        if key in content and (path := _as_text(file, key, content[key], None)):
            _reject_second(given.get(name), f"{file}: {key}")
            given[name] = _read_secret(path, f"{file}: {key}")
    return given


def from_options(names: Iterable[str], options: Mapping[str, object]) -> dict[str, Given]:
    """What the options give; an empty text and None are not given."""
    return {name: Given(options[name], option_of(name)) for name in names if options.get(name) not in (None, "")}


def _reject_second(first: Given | None, source: str) -> None:
    if first is not None:
        raise InvalidSettings(f"{first.source} and {source} are both set; expected one of them")


def _read_secret(path: str, source: str) -> Given:
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(SECRET_LIMIT + 1)
    except UnicodeDecodeError:
        reason = "expected a text in UTF-8"
    except (OSError, ValueError) as error:
        reason = _reason_of(error)
    else:
        if (value := text.rstrip("\r\n")) and len(text) <= SECRET_LIMIT:
            return Given(value, source, is_from_file=True)
        reason = f"expected one value of at most {SECRET_LIMIT} characters"
    raise InvalidSettings(f"{source} names a file that cannot be used: {reason}")  # the name may be the secret


def _reason_of(error: OSError | ValueError) -> str:
    """Why a file cannot be read; a ValueError means a path that no file can have."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a path"


def _as_text(file: str, name: str, value: Any, separator: str | None) -> str:
    """The value as it would be in the environment, so that both are parsed alike."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if separator is not None and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return separator.join(value)
    expected = "a text, a number, true or false" + (", or a list of texts" if separator is not None else "")
    raise InvalidSettings(f"{file}: {name}: expected {expected}")
