"""Who takes part: how each one is started, and what has to be there for it.

What the service itself does not need is installed into build/bench only, from lock files of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from scripts.benchmark.figures import ASYNC_APP, FASTAPI, FASTIFY, FLASK_APP, FLOOR, MEMORY, SQLITE

from tmf_sales.app import contracts_folder
from tmf_sales.tmf630.contract import load_contracts
from tmf_sales.tmf630.schema_check import _as_draft4

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "bench"
SCHEMAS = BUILD / "schemas"
VENV = BUILD / "venv"
NODE = BUILD / "node"
SERVICE = str(ROOT / ".venv" / "bin" / "tmf-sales")
BASE_PATH = "/tmf-api/quoteManagement/v4"


class Missing(Exception):
    """Raised, with the reason, when a contender cannot be had on this machine."""


@dataclass(frozen=True, slots=True)
class Contender:
    """`command` is given the port. `prepare` installs what it needs and raises Missing; `fresh` empties its store."""

    name: str
    command: Callable[[int], list[str]]
    probe: str = f"{BASE_PATH}/quote?limit=1"
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    fresh: Callable[[], None] = lambda: None


def service(store: str, *options: str) -> Callable[[int], list[str]]:
    return lambda port: [SERVICE, "serve", "--port", str(port), "--store", store, *options]


def uvicorn(python: str, app: str, *options: str) -> Callable[[int], list[str]]:
    """With the loop, the parser and the silence that the service has."""
    silent = ("--no-access-log", "--log-level", "error", "--no-server-header", "--no-proxy-headers", "--ws", "none")
    quick = ("--loop", "uvloop", "--http", "httptools")
    return lambda port: [python, "-m", "uvicorn", app, "--port", str(port), *quick, *silent, *options]


def database() -> Path:
    return BUILD / "data" / "bench.sqlite"


def remove_database() -> None:
    database().parent.mkdir(parents=True, exist_ok=True)
    for file in database().parent.iterdir():
        file.unlink()


def install_python_packages() -> None:
    lock = HERE / "requirements.lock"
    if _is_done(VENV, lock):
        return
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True, capture_output=True)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        raise Missing(f"its packages cannot be installed: {_last_line(error)}") from None
    _mark_done(VENV, lock)


def install_node_packages() -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        raise Missing("there is no Node.js")
    lock = HERE / "package-lock.json"
    if _is_done(NODE, lock):
        return
    NODE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, NODE)
    try:
        subprocess.run(["npm", "ci", "--silent", "--no-progress"], cwd=NODE, check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        raise Missing(f"its packages cannot be installed: {_last_line(error)}") from None
    _mark_done(NODE, lock)


def copy_fastify_beside_its_packages() -> None:
    install_node_packages()
    shutil.copy(HERE / "fastify.mjs", NODE)


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def _is_done(folder: Path, lock: Path) -> bool:
    done = folder / ".installed"
    return done.is_file() and done.read_text() == _digest(lock)


def _mark_done(folder: Path, lock: Path) -> None:
    (folder / ".installed").write_text(_digest(lock))


def _last_line(error: subprocess.CalledProcessError) -> str:
    return (error.stderr or error.stdout or b"").decode(errors="replace").strip().rpartition("\n")[2] or str(error)


def write_schemas() -> None:
    """The contract and the schemas made of it, for contenders that know nothing of ours."""
    SCHEMAS.mkdir(parents=True, exist_ok=True)
    contract = next(each for each in load_contracts(contracts_folder()) if each.base_path == BASE_PATH)
    wanted = {"create": ("Quote_Create", True), "merge": ("Quote_MergePatch", False), "update": ("Quote_Update", False)}
    for name, (top, creating) in wanted.items():
        plain = {
            each: _as_draft4(schema, creating) for each, schema in contract.document["components"]["schemas"].items()
        }
        root = {"components": {"schemas": plain}, "allOf": [{"$ref": f"#/components/schemas/{top}"}]}
        (SCHEMAS / f"{name}.json").write_bytes(orjson.dumps(root))
    (SCHEMAS / "contract.json").write_bytes(orjson.dumps(contract.document))


OWN_PYTHON = str(ROOT / ".venv" / "bin" / "python")

CONTENDERS = (
    Contender(MEMORY, service("memory:"), probe="/live"),
    Contender(SQLITE, service(f"sqlite:{database()}"), probe="/live", fresh=remove_database),
    Contender(FLOOR, uvicorn(OWN_PYTHON, "scripts.benchmark.contender_floor:app")),
    Contender(
        FASTAPI,
        uvicorn(str(VENV / "bin" / "python"), "scripts.benchmark.contender_fastapi:app"),
        prepare=install_python_packages,
    ),
    Contender(FLASK_APP, uvicorn(OWN_PYTHON, "scripts.benchmark.contender_connexion:flask_app", "--factory")),
    Contender(ASYNC_APP, uvicorn(OWN_PYTHON, "scripts.benchmark.contender_connexion:async_app", "--factory")),
    Contender(FASTIFY, lambda _: ["node", str(NODE / "fastify.mjs")], prepare=copy_fastify_beside_its_packages),
)


def environment_for(contender: Contender, port: int) -> dict[str, str]:
    return {
        "BENCH_PORT": str(port),
        "BENCH_SCHEMAS": str(SCHEMAS),
        "PYTHONWARNINGS": "ignore",
        "NODE_ENV": "production",
        **contender.environment,
    }


def cores() -> tuple[int, int]:
    """One for the server, another one for the load; the same where there is only one."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]
