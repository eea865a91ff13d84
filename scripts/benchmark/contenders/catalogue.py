"""Lists the contenders: how to start each one, and what it needs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmark.contenders.packages import (
    BUILD,
    NODE,
    ROOT,
    VENV,
    copy_fastify_beside_its_packages,
    install_python_packages,
)
from scripts.benchmark.contenders.schemas import SCHEMAS
from scripts.benchmark.figures import ASYNC_APP, FASTAPI, FASTIFY, FLASK_APP, FLOOR, MEMORY, SQLITE

SERVICE = str(ROOT / ".venv" / "bin" / "tmf-sales")
OWN_PYTHON = str(ROOT / ".venv" / "bin" / "python")


@dataclass(frozen=True, slots=True)
class Contender:
    """A contender. `command` takes a port; `prepare` installs packages or raises Missing; `fresh` empties its store."""

    name: str
    command: Callable[[int], list[str]]
    prepare: Callable[[], None] = lambda: None
    fresh: Callable[[], None] = lambda: None


def service(store: str, *options: str) -> Callable[[int], list[str]]:
    return lambda port: [SERVICE, "serve", "--port", str(port), "--store", store, *options]


def uvicorn(python: str, app: str, *options: str) -> Callable[[int], list[str]]:
    """The uvicorn command with the event loop, the parser and the quiet logging that the service uses."""
    silent = ("--no-access-log", "--log-level", "error", "--no-server-header", "--no-proxy-headers", "--ws", "none")
    quick = ("--loop", "uvloop", "--http", "httptools")
    return lambda port: [python, "-m", "uvicorn", app, "--port", str(port), *quick, *silent, *options]


def database() -> Path:
    return BUILD / "data" / "bench.sqlite"


def remove_database() -> None:
    database().parent.mkdir(parents=True, exist_ok=True)
    for file in database().parent.iterdir():
        file.unlink()


CONTENDERS = (
    Contender(MEMORY, service("memory:")),
    Contender(SQLITE, service(f"sqlite:{database()}"), fresh=remove_database),
    Contender(FLOOR, uvicorn(OWN_PYTHON, "scripts.benchmark.contenders.floor:app")),
    Contender(
        FASTAPI,
        uvicorn(str(VENV / "bin" / "python"), "scripts.benchmark.contenders.fastapi_app:app"),
        prepare=install_python_packages,
    ),
    Contender(FLASK_APP, uvicorn(OWN_PYTHON, "scripts.benchmark.contenders.connexion_apps:flask_app", "--factory")),
    Contender(ASYNC_APP, uvicorn(OWN_PYTHON, "scripts.benchmark.contenders.connexion_apps:async_app", "--factory")),
    Contender(FASTIFY, lambda _: ["node", str(NODE / "fastify.mjs")], prepare=copy_fastify_beside_its_packages),
)


def environment_for(port: int) -> dict[str, str]:
    return {
        "BENCH_PORT": str(port),
        "BENCH_SCHEMAS": str(SCHEMAS),
        "PYTHONWARNINGS": "ignore",
        "NODE_ENV": "production",
    }


def cores() -> tuple[int, int]:
    """One core for the server and another one for the load; the same if there is only one."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]
