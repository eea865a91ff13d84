"""Loads the settings: the service's own, and those of the rules of each API.

Guarantee: settings that are loaded are valid. Otherwise InvalidSettings has one line for each fault, which names the
variable, the option or the key, shows the value safely and says what is expected.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError

from tmf_sales.configuration.conflicts import reject_conflicting_settings
from tmf_sales.configuration.description import abouts_of
from tmf_sales.configuration.names import FROM_FILE, InvalidSettings, unknown_keys, unknown_variables
from tmf_sales.configuration.settings import About, Settings, without_credentials
from tmf_sales.configuration.sources import (
    Given,
    from_configuration,
    from_options,
    from_variables,
    read_configuration,
)
from tmf_sales.values.messages import shown


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and by name where each value is from; a name that is missing has its default."""

    settings: Settings
    sources: Mapping[str, str]


def load_settings(
    environ: Mapping[str, str],
    options: Mapping[str, object] | None = None,
    of_apis: Mapping[str, type] | None = None,
) -> Settings:
    """Load the settings; see load_with_sources."""
    return load_with_sources(environ, options, of_apis).settings


def load_with_sources(
    environ: Mapping[str, str],
    options: Mapping[str, object] | None = None,
    of_apis: Mapping[str, type] | None = None,
) -> Loaded:
    """Load settings from options, else from the environment, else from the configuration file.

    `of_apis`: the class of the settings of each API's rules, by their name. An option that is None or empty counts as
    missing, and so does an empty variable. Raises InvalidSettings.
    """
    classes = {"": Settings, **(of_apis or {})}
    _reject_shared_names(classes)
    abouts = {name: about for of in classes.values() for name, about in abouts_of(of).items()}
    given, faults = _collect(abouts, environ, options or {})
    loaded = dict[str, Any]()
    for name, of in classes.items():
        try:
            loaded[name] = _parse(of, given)
        except InvalidSettings as error:
            faults.append(str(error))
    if faults:
        raise InvalidSettings("\n".join(faults))
    settings: Settings = dataclasses.replace(loaded.pop(""), of_apis=loaded)
    reject_conflicting_settings(settings)
    return Loaded(settings, {name: each.source for name, each in given.items()})


def _collect(
    abouts: Mapping[str, About], environ: Mapping[str, str], options: Mapping[str, object]
) -> tuple[dict[str, Given], list[str]]:
    """What is given for each name, and a message for each unknown name."""
    secrets = [name for name, about in abouts.items() if about.may_be_in_file]
    names = {*abouts, *(name + FROM_FILE for name in secrets)}
    file, content = read_configuration(environ, options)
    unknown = [*unknown_variables(environ, names), *unknown_keys(file, content, names)]
    separators = {name: about.kind.separator for name, about in abouts.items()}
    given = {
        **from_configuration(file, content, separators, secrets),
        **from_variables(abouts, secrets, environ),
        **from_options(abouts, options),
    }
    return given, unknown


def _parse(of: type, given: Mapping[str, Given]) -> Any:
    abouts = abouts_of(of)
    raw = {name: given[name].value for name in abouts if name in given}
    schema = Schema.from_dict({name: about.kind.field for name, about in abouts.items()}, name=f"{of.__name__}Schema")
    try:
        return of(**schema().load(raw))
    except ValidationError as error:
        lines = (_message(abouts[name], given[name]) for name in sorted(map(str, error.messages_dict)))
        raise InvalidSettings("\n".join(lines)) from None


def _message(about: About, given: Given) -> str:
    return f"{given.source} is {_shown(about, given)}; expected {about.kind.expected}"


def _shown(about: About, given: Given) -> str:
    """The value without what may be secret in it: a webhook secret, a URL with a password, the content of a file."""
    if about.secret or given.is_from_file:
        return "not valid (its value is not shown)"
    return shown(without_credentials(given.value) if isinstance(given.value, str) else given.value)


def _reject_shared_names(classes: Mapping[str, type]) -> None:
    owners = dict[str, str]()
    for owner, name in _owned_names(classes):
        if name in owners:
            raise InvalidSettings(f"the rules {owner} have a setting {name}, as {owners[name] or 'the service'} has")
        owners[name] = owner


def _owned_names(classes: Mapping[str, type]) -> Iterator[tuple[str, str]]:
    for owner, of in classes.items():
        yield from ((owner, name) for name in abouts_of(of))
