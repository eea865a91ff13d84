"""Schemathesis finds nothing with authentication on: no operation answers without a credential that is good."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fuzz.schemathesis_run import REPEATABLE, command, environment, served_operations, totals
from tests.identity import API_KEY, Provider, bearer
from tests.service import start_service

CREDENTIAL_CHECKS = ("--checks", "ignored_auth,not_a_server_error,status_code_conformance,response_schema_conformance")


@pytest.mark.full
@pytest.mark.parametrize("api", ["sales", "quote"])
@pytest.mark.parametrize("by_token", [True, False], ids=["token", "api-key"])
def test_no_operation_answers_without_a_good_credential(tmp_path: Path, api: str, by_token: bool) -> None:
    provider = Provider(tmp_path)
    provider.api_keys.write_text(provider.api_keys.read_text().replace("reader", "admin"))
    header = bearer(provider.token("admin", exp=4_000_000_000)) if by_token else {"X-API-Key": API_KEY}
    ((name, value),) = header.items()
    with ExitStack() as ends:
        service = start_service(
            tmp_path / "service.log", "--store", f"sqlite:///{tmp_path}/fuzz.sqlite", environ=provider.environ
        )
        ends.callback(service.stop)
        called = command(service.url, api, ("examples", "fuzzing", "stateful"), "--max-examples", "5", *REPEATABLE)
        called += [*CREDENTIAL_CHECKS, "--header", f"{name}: {value}"]
        done = subprocess.run(called, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)

    operations, cases = totals(done.stdout)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert operations == served_operations(api)
    assert cases > 100
