"""`tmf-sales config`: prints the settings in force and the source of each, in the form of a configuration file."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import click

from tmf_sales.cli.options import Refused, rule_setting_options, setting_options
from tmf_sales.configuration.description import InForce, as_text, describe_settings, settings_in_force
from tmf_sales.configuration.loading import load_with_sources
from tmf_sales.configuration.names import CONFIG
from tmf_sales.errors import CannotStart


@click.command()
@setting_options(*(row.name for row in describe_settings()))
@rule_setting_options
def config(**options: object) -> None:
    """Print the settings in force as TOML, with the source of each; secrets are masked."""
    from tmf_sales.apis.registry import registered_rules, settings_of_rules

    try:
        loaded = load_with_sources(os.environ, options, settings_of_rules(registered_rules()))
    except CannotStart as error:
        raise Refused(str(error)) from None
    for each in settings_in_force(loaded.settings):
        click.echo(line_of(each, loaded.sources.get(each.name, "default")))


def line_of(setting: InForce, source: str) -> str:
    """One line of TOML; a comment if the setting has no value, or if a configuration file cannot have this value."""
    if setting.value is None:
        return f"# {setting.name} is not set"
    line = f"{setting.name} = {as_toml(setting.shown)}  # {source}"
    return f"# {line}" if setting.is_masked or setting.name == CONFIG else line


def as_toml(value: object) -> str:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, tuple):
        return json.dumps([str(each) for each in value], ensure_ascii=False)
    return json.dumps(as_text(value) if isinstance(value, timedelta) else str(value), ensure_ascii=False)
