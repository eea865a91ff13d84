"""Describes settings: their names, defaults and purposes, and the values in force with secrets masked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tmf_sales.configuration.names import FROM_FILE, variable_of
from tmf_sales.configuration.setting_types import SWITCH
from tmf_sales.configuration.settings import About, Settings, without_credentials

MASK = "***"


@dataclass(frozen=True, slots=True)
class Described:
    """One row of the table of settings. `file_variable`: names a file with the value; None if there is no such one."""

    name: str
    variable: str
    file_variable: str | None
    default: str
    purpose: str
    is_switch: bool


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting with its value. `shown`: the value without secrets; it differs from `value` if something is masked."""

    name: str
    about: About
    default: object
    value: object

    @property
    def is_masked(self) -> bool:
        return self.shown is not self.value

    @property
    def shown(self) -> object:
        if self.about.secret and self.value is not None:
            return MASK
        if not isinstance(self.value, str):
            return self.value
        masked = without_credentials(self.value)
        return self.value if masked == self.value else masked


def describe_settings(of: type = Settings) -> list[Described]:
    """The rows of a class of settings: the service's own, or those that the rules of an API have."""
    return [
        Described(
            name=name,
            variable=variable_of(name),
            file_variable=variable_of(name + FROM_FILE) if about.may_be_in_file else None,
            default=as_text(default, about.kind.separator),
            purpose=about.purpose,
            is_switch=about.kind is SWITCH,
        )
        for name, (default, about) in _described_fields(of).items()
    ]


def abouts_of(of: type) -> dict[str, About]:
    return {name: about for name, (_, about) in _described_fields(of).items()}


def _described_fields(of: type) -> dict[str, tuple[Any, About]]:
    fields = dataclasses.fields(of)
    return {field.name: (field.default, field.metadata["about"]) for field in fields if "about" in field.metadata}


def settings_in_force(settings: Settings) -> Iterator[InForce]:
    """Each setting of the service, and of the rules of APIs, with its value."""
    for each in (settings, *settings.of_apis.values()):
        for name, (default, about) in _described_fields(type(each)).items():
            yield InForce(name, about, default, getattr(each, name))


def as_text(value: object, separator: str | None = None) -> str:
    """A value as one would write it into the environment; empty where there is none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return f"P{value.days}D" if value == timedelta(days=value.days) else f"PT{value.total_seconds():g}S"
    if isinstance(value, tuple):
        return (separator or ",").join(map(str, value))
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
