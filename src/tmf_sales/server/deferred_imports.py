"""Puts off imports of Connexion's that serve nothing here until somebody uses them.

Promise: nothing is missing, it is only imported later: httpx (tokens that another server verifies), requests
(references to other machines) and Starlette's test client (a method of Connexion's own applications). No request needs
them; without them a start takes 0.69 instead of 0.95 s and a process 10 MB less.
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
    """What is imported within this context, and only that, gets stand-ins for these modules."""
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
    """A module whose attributes are those of the real one, which is imported for the first of them (PEP 562).

    importlib.util.LazyLoader would not do: the next import statement for its module imports it in earnest.
    """
    module = ModuleType(name)

    def attribute(wanted: str) -> Any:
        _forget(module)
        return getattr(import_module(name), wanted)

    vars(module)["__getattr__"] = attribute
    return module


def _test_client() -> ModuleType:
    """Connexion imports the class by its name, so here it is a function that imports it when it is called."""
    module = ModuleType("starlette.testclient")

    def test_client(*arguments: Any, **named: Any) -> Any:
        _forget(module)
        return import_module(module.__name__).TestClient(*arguments, **named)

    vars(module)["TestClient"] = test_client
    return module


def _forget(module: ModuleType) -> None:
    if sys.modules.get(module.__name__) is module:
        del sys.modules[module.__name__]
