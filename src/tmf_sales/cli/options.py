"""Turns settings into command options, with the help texts of configuration/settings.py or of the rules of an API.

An invalid option is rejected like its environment variable: in one line, with exit code 2.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tmf_sales.configuration.description import Described, describe_settings
from tmf_sales.configuration.loading import load_settings
from tmf_sales.configuration.names import CONFIG, option_of
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import CannotStart

Command = Callable[..., Any]


class Refused(click.ClickException):
    """Raised when a command cannot do what was asked; the message is all that the user sees."""

    exit_code = 2


class NothingFound(click.ClickException):
    """Raised when nothing has the id that was asked for."""

    exit_code = 1


def setting_options(*names: str) -> Callable[[Command], Command]:
    """Give a command one option for each of these settings, in this order."""
    rows = {row.name: row for row in describe_settings()}

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = _option(rows[name])(command)
        return command

    return decorate


def store_options(command: Command) -> Command:
    """Give a command the options that name the store and the contracts that describe it."""
    return setting_options(CONFIG, "store", "contracts", "apis")(command)


def rule_setting_options(command: Command) -> Command:
    """Give a command an option for each setting of the rules of APIs; its help begins with the name of the rules."""
    from tmf_sales.apis.registry import describable_settings

    for name, of in reversed(describable_settings().items()):
        for row in reversed(describe_settings(of)):
            command = _option(row, f"{name}: ")(command)
    return command


def settings_from(options: dict[str, object]) -> Settings:
    """Load the settings; raise Refused, also without a working directory: relative paths and Connexion need one."""
    try:
        Path.cwd()
    except OSError:
        raise Refused("the working directory is not there any more; start in one that is") from None
    from tmf_sales.apis.registry import registered_rules, settings_of_rules

    try:
        settings = load_settings(os.environ, options, settings_of_rules(registered_rules()))
    except CannotStart as error:
        raise Refused(str(error)) from None
    log_from(settings.log_level)
    return settings


def log_from(level: str) -> None:
    """Log the messages alone to standard error, from this level on; `configure_logs` gives a service whole lines."""
    logging.basicConfig(format="%(message)s")
    for name in ("tmf_sales", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())


def _option(row: Described, prefix: str = "") -> Callable[[Command], Command]:
    help_text = f"{prefix}{row.purpose[0].upper()}{row.purpose[1:]}.".replace("`", "")
    if row.is_switch:
        return click.option(option_of(row.name), is_flag=True, default=None, help=f"{help_text} [{row.variable}]")
    default = f"; default {row.default}" if row.default else ""
    return click.option(option_of(row.name), metavar="VALUE", help=f"{help_text} [{row.variable}{default}]")
