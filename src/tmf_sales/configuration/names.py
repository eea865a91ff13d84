"""Names of a setting: its variable, its option, its key in the configuration file, and unknown names.

Guarantee: a variable or key that looks like a setting but is none stops the start; the message suggests a name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator

from tmf_sales.errors import CannotStart

PREFIX = "TMF_SALES_"
CONFIG = "config"
FROM_FILE = "_file"
TABLE = "docs/reference/settings.md"
# What Kubernetes adds for a Service named tmf-sales; TMF_SALES_PORT is a setting, too, and then invalid.
_SERVICE_LINK = re.compile(rf"{PREFIX}(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)")


class InvalidSettings(CannotStart):
    """Raised when a setting is not valid, alone or together with another; one line for each."""


def variable_of(name: str) -> str:
    return PREFIX + name.upper()


def option_of(name: str) -> str:
    return "--" + name.replace("_", "-")


def unknown_variables(environ: Iterable[str], names: Collection[str]) -> Iterator[str]:
    """A message for each variable that looks like a setting but has none of these names."""
    known = {variable_of(name) for name in names}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in known:
            continue
        if _SERVICE_LINK.fullmatch(variable):
            yield (
                f"{variable} is not a setting; Kubernetes adds it for a Service: set enableServiceLinks: false in the "
                "specification of the pod"
            )
        else:
            yield f"{variable} is not a setting{_suggestion(variable, known)}"


def unknown_keys(file: str, keys: Iterable[str], names: Collection[str]) -> Iterator[str]:
    """A message for each key of the configuration file that is none of these names."""
    for key in keys:
        if key == CONFIG:
            yield f"{file}: {CONFIG} cannot be set in the configuration file itself"
        elif key not in names:
            name = key.lower().removeprefix(PREFIX.lower()).replace("-", "_")
            yield f"{file}: {key!a} is not a setting{_suggestion(name, [each for each in names if each != CONFIG])}"


def _suggestion(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; {TABLE} lists them all"
