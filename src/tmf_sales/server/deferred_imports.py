"""Defers imports of Connexion until they are used, because no request to an API needs them.

They are httpx (tokens that another server verifies), requests (references to other machines), jinja2 (templates of
contracts and of Swagger UI, which the service serves itself) and Starlette's test client (a method of Connexion's
applications). Flask, an extra of Connexion, looks as if it were not installed; app/index_pages.py imports it for the
first page. Without httpx, requests and the client a start takes 0.69 instead of 0.95 s and a process 10 MB less;
without Flask and jinja2 it takes another twentieth less.
Guarantee: nothing else is missing; the first use imports the real module. Remove when Connexion imports them on use
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
    stand_ins = (
        *map(_module, ("httpx", "jinja2", "requests")),
        _with_class("starlette.templating", "Jinja2Templates"),
        _with_class("starlette.testclient", "TestClient"),
    )
    put_off = [module for module in stand_ins if module.__name__ not in sys.modules]
    for module in put_off:
        sys.modules[module.__name__] = module
    try:
        with _not_installed("flask"):
            yield
    finally:
        for module in put_off:
            _forget(module)


@contextlib.contextmanager
def _not_installed(name: str) -> Iterator[None]:
    """Make each import of this module fail within this context, unless it has been imported before."""
    is_new = name not in sys.modules
    if is_new:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's way to say so
    try:
        yield
    finally:
        if is_new:
            del sys.modules[name]


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


def _with_class(name: str, wanted: str) -> ModuleType:
    """Connexion imports the class by name, so the stand-in has a function that imports the class when called."""
    module = ModuleType(name)

    def made(*arguments: Any, **named: Any) -> Any:
        _forget(module)
        return getattr(import_module(name), wanted)(*arguments, **named)

    setattr(module, wanted, made)
    return module


def _forget(module: ModuleType) -> None:
    if sys.modules.get(module.__name__) is module:
        del sys.modules[module.__name__]
