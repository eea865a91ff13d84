"""Defers three imports of Connexion until they are used, because no request needs them.

They are httpx (tokens that another server verifies), requests (references to other machines) and Starlette's test
client (a method of Connexion's applications). Without them a start takes 0.69 instead of 0.95 s and a process 10 MB
less. Guarantee: nothing is missing; the first use imports the real module. Remove when Connexion imports them on use
(tests/server/test_deferred_imports.py; slow starts are https://github.com/spec-first/connexion/issues/1801).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any


@contextlib.contextmanager
def defer_imports() -> Iterator[None]:
    """Give stand-ins for these modules to everything that is imported within this context, and to nothing else."""
    stand_ins = (_module("httpx"), _module("requests"), _test_client())
    put_off = [module for module in stand_ins if module.__name__ not in sys.modules]
    for module in put_off:
        sys.modules[module.__name__] = module
    try:
        yield
    finally:
        for module in put_off:
            _forget(module)


def _module(name: str) -> ModuleType:
    """A stand-in that imports the real module when one of its attributes is used (PEP 562).

    importlib.util.LazyLoader does not work here: the next import statement for its module really imports it.
    """
    module = ModuleType(name)

    def attribute(wanted: str) -> Any:
        _forget(module)
        return getattr(import_module(name), wanted)

    vars(module)["__getattr__"] = attribute
    return module


def _test_client() -> ModuleType:
    """Connexion imports the class by name, so the stand-in has a function that imports the class when called."""
    module = ModuleType("starlette.testclient")

    def test_client(*arguments: Any, **named: Any) -> Any:
        _forget(module)
        return import_module(module.__name__).TestClient(*arguments, **named)

    vars(module)["TestClient"] = test_client
    return module


def _forget(module: ModuleType) -> None:
    if sys.modules.get(module.__name__) is module:
        del sys.modules[module.__name__]
