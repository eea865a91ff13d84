"""Importing the store on MongoDB does not import what only pymongo's synchronous client uses."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import tmf_sales.storage.mongo

LOOK = """
import sys
import tmf_sales.storage.mongo.store
from pymongo import ssl_support
print(ssl_support.HAVE_PYSSL, "cryptography" in sys.modules, "pymongo.pyopenssl_context" in sys.modules)
"""


def test_a_new_process_has_no_cryptography() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False"] * 3


def test_the_first_import_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pymongo", raising=False)
    monkeypatch.delitem(sys.modules, "pymongo.pyopenssl_context", raising=False)

    importlib.reload(tmf_sales.storage.mongo)

    assert "pymongo" in sys.modules
    assert "pymongo.pyopenssl_context" not in sys.modules
