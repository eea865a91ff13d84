"""The image's recipe: its user, what it is built from, its start without authentication, its health check."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import urllib.request
from collections import defaultdict
from pathlib import Path

import pytest
from tests.packaging.installing import attempt
from tests.service import ROOT, start_service

from tmf_sales import __version__
from tmf_sales.configuration.settings import Settings
from tmf_sales.storage.factory import sqlite_path

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
SERVE = (sys.executable, "-m", "tmf_sales", "serve")


def instructions(stage: int) -> dict[str, list[str]]:
    """The arguments of each instruction of a stage, by the name of the instruction."""
    lines = "\n".join(line for line in DOCKERFILE.splitlines() if not line.lstrip().startswith("#"))
    found: dict[str, list[str]] = defaultdict(list)
    for line in lines.replace("\\\n", " ").split("\nFROM ")[stage].splitlines():
        name, _, arguments = line.strip().partition(" ")
        found[name].append(" ".join(arguments.split()))
    return found


BUILD, IMAGE = instructions(0), instructions(1)


def pairs(instruction: str) -> dict[str, str]:
    """The names and values of all ENV or LABEL instructions of the image."""
    words = shlex.split(" ".join(IMAGE[instruction]))
    return dict(word.split("=", 1) for word in words)


def variables() -> dict[str, str]:
    return {name: value for name, value in pairs("ENV").items() if name != "PATH"}


def test_the_user_is_a_number_so_that_kubernetes_knows_it_is_not_root() -> None:
    [user] = IMAGE["USER"]

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_the_labels_name_this_version() -> None:
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in pairs("LABEL").items()}

    assert labels["version"] == __version__
    assert labels["licenses"] == "Apache-2.0"
    assert {"title", "description", "revision"} <= labels.keys()


def test_the_context_holds_what_is_copied_and_no_tests_or_released_contracts() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("*\n", 1)[1].split()
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = {source.removeprefix("./") for line in BUILD["COPY"] for source in line.split()[:-1]}

    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
    assert "openapi/released" in rules


def test_only_locked_packages_are_installed() -> None:
    installs = [command for line in BUILD["RUN"] for command in line.split("&&") if " install " in command]

    assert len(installs) == 3
    for command in installs:
        assert "--require-hashes" in command or ("--no-deps" in command and "--no-build-isolation" in command)


def test_without_authentication_it_refuses_to_start_and_says_what_is_missing() -> None:
    done = attempt(*SERVE, "--port", "0", "--store", "memory:", environ=variables())

    assert done.returncode != 0
    assert len(done.stdout.splitlines()) == 1
    for name in ("TMF_SALES_JWT_ISSUER", "TMF_SALES_API_KEYS", "TMF_SALES_ALLOW_ANONYMOUS=true"):
        assert name in done.stdout


def test_it_serves_everybody_when_a_variable_allows_it_and_the_health_check_sees_it(tmp_path: Path) -> None:
    environ = variables() | {"TMF_SALES_ALLOW_ANONYMOUS": "true", "TMF_SALES_STORE": "memory:"}
    with start_service(tmp_path / "log", environ=environ) as service:
        assert urllib.request.urlopen(f"http://127.0.0.1:{service.port}/live").status == 200
        assert health_check(service.port) == 0
    assert health_check(service.port) != 0


def health_check(port: int) -> int:
    """The exit code of the image's check of a service at a port of this machine."""
    [check] = IMAGE["HEALTHCHECK"]
    command = json.loads(check[check.index("[") :])
    assert command[0] == "python"
    done = subprocess.run(
        [sys.executable, *command[1:]], env={"TMF_SALES_PORT": str(port)}, capture_output=True, check=False
    )
    return done.returncode


def test_the_store_is_in_a_volume_that_the_user_owns() -> None:
    [volume] = json.loads(IMAGE["VOLUME"][0])

    assert f"chown {IMAGE['USER'][0]} {volume}" in IMAGE["RUN"][0]
    assert "TMF_SALES_STORE" not in variables()  # so that TMF_SALES_STORE_FILE may name another one
    assert (Path(IMAGE["WORKDIR"][-1]) / sqlite_path(Settings().store)).parent == Path(volume)


@pytest.mark.parametrize("file", ["compose.yaml", "Dockerfile"])
def test_the_commands_in_the_comments_name_the_file_where_it_is(file: str) -> None:
    assert f"--file deploy/{file}" in (ROOT / "deploy" / file).read_text(encoding="utf-8")
