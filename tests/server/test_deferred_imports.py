"""What a start does not import is still there when it is used; each test has an interpreter of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest
from tests.service import ROOT, start_service

AFTER_THE_IMPORT = """
import sys
from tmf_sales.server.deferred_imports import defer_imports
with defer_imports():
    import tmf_sales.app.asgi
"""


PUT_OFF = (
    "flask.app",
    "httpx",
    "jinja2",
    "requests",
    "rich",
    "starlette.templating",
    "starlette.testclient",
    "urllib3",
)


def printed_by(program: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", AFTER_THE_IMPORT + program], capture_output=True, text=True, check=True
    )
    return ended.stdout.split()


def test_a_start_imports_nothing_that_serves_no_request() -> None:
    assert printed_by(f"print([name for name in {PUT_OFF} if name in sys.modules])") == ["[]"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_service_imports_only_what_users_install_and_nothing_that_serves_no_request(
    tmp_path: Path, workers: str
) -> None:
    """What tests need beside it must not slow down a start: jsonschema imports what it finds, which took 3 s."""
    traced = ("env", "-u", "COVERAGE_PROCESS_CONFIG", sys.executable, "-X", "importtime", "-m", "tmf_sales", "serve")
    log = tmp_path / "log"
    store = f"sqlite:{tmp_path}/store.sqlite"
    with start_service(log, "--workers", workers, "--store", store, command=traced) as service:
        assert httpx.get(f"{service.url}/nowhere").status_code == 404

    imported = {line.rpartition("|")[2].strip() for line in log.read_text().splitlines() if "import time:" in line}

    assert imported.isdisjoint(PUT_OFF)
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    packages = packages_distributions()
    found = {each.lower().replace("_", "-") for name in imported for each in packages.get(name.partition(".")[0], ())}
    assert "connexion" in found
    assert found - locked <= {"setuptools", "tmf-sales"}  # the first is what Python 3.11 puts into a new environment


def test_connexion_gets_a_module_when_it_uses_it() -> None:
    program = "import connexion.security; print(connexion.security.httpx.AsyncClient.__name__, 'httpx' in sys.modules)"
    assert printed_by(program) == ["AsyncClient", "True"]


def test_connexion_s_test_client_works() -> None:
    program = "from connexion import AsyncApp; print(AsyncApp('a').test_client().get('/nowhere').status_code)"
    assert printed_by(program) == ["404"]


def test_connexion_s_templates_work() -> None:
    program = """
from connexion.middleware.swagger_ui import Jinja2Templates
print(Jinja2Templates(directory='.').env.from_string('{{ 1 + 1 }}').render())
from connexion.spec import jinja2
print(jinja2.Template('{{ 2 + 2 }}').render())
"""
    assert printed_by(program) == ["2", "4"]


def test_flask_is_missing_only_for_connexion() -> None:
    program = "import connexion, flask; print(flask.Flask.__name__, isinstance(connexion.FlaskApp, type))"
    assert printed_by(program) == ["Flask", "False"]


def test_later_imports_get_the_real_modules() -> None:
    program = "import httpx, requests; from starlette.testclient import TestClient; print(httpx.__name__, TestClient)"
    assert printed_by(program) == ["httpx", "<class", "'starlette.testclient.TestClient'>"]


@pytest.mark.parametrize("name", ["flask", "httpx"])
def test_a_module_that_is_there_is_left_as_it_is(name: str) -> None:
    program = f"import {name}\nwith defer_imports():\n    import {name} as same\nprint(same is {name})"
    assert printed_by(program) == ["True"]


LOGGING_COLLECTIONS = """
import gc, sys
gc.callbacks.append(lambda phase, found: print("collects", found["generation"], phase, file=sys.stderr, flush=True))
from tmf_sales.cli import main
main(["serve", *sys.argv[1:]])
"""


def test_no_collection_of_all_objects_delays_the_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ("env", "-u", "COVERAGE_PROCESS_CONFIG", sys.executable, "-W", "ignore", "-c", LOGGING_COLLECTIONS)

    with start_service(log, "--store", "memory:", command=command):
        collected = set(re.findall("collects ([0-9]) start", log.read_text()))

    assert collected == {"0", "1"}
