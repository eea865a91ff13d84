"""What a start does not import is still there when it is used; each test has an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys

AFTER_THE_IMPORT = """
import sys
from tmf_sales.server.deferred_imports import defer_imports
with defer_imports():
    import tmf_sales.app
"""


def told_by(program: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", AFTER_THE_IMPORT + program], capture_output=True, text=True, check=True
    )
    return ended.stdout.split()


def test_a_start_imports_nothing_that_serves_no_request() -> None:
    put_off = ("httpx", "requests", "rich", "urllib3", "starlette.testclient")
    assert told_by(f"print([name for name in {put_off} if name in sys.modules])") == ["[]"]


def test_connexion_gets_a_module_when_it_uses_it() -> None:
    program = "import connexion.security; print(connexion.security.httpx.AsyncClient.__name__, 'httpx' in sys.modules)"
    assert told_by(program) == ["AsyncClient", "True"]


def test_connexion_s_test_client_works() -> None:
    program = "from connexion import AsyncApp; print(AsyncApp('a').test_client().get('/nowhere').status_code)"
    assert told_by(program) == ["404"]


def test_later_imports_get_the_real_modules() -> None:
    program = "import httpx, requests; from starlette.testclient import TestClient; print(httpx.__name__, TestClient)"
    assert told_by(program) == ["httpx", "<class", "'starlette.testclient.TestClient'>"]


def test_a_module_that_is_there_is_left_as_it_is() -> None:
    program = "import httpx\nwith defer_imports():\n    import httpx as same\nprint(same is httpx)"
    assert told_by(program) == ["True"]
