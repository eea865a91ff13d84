"""Services with the settings of each test, started once for a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from tests.service import Service, start_service

Start = Callable[..., Service]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a service with these options and variables, or return the one that runs with them."""
    running: dict[str, Service] = {}
    with ExitStack() as ends:

        def started(*options: str, **environ: str) -> Service:
            key = repr((options, sorted(environ.items())))
            if key not in running:
                log = tmp_path_factory.mktemp("edge") / "log"
                running[key] = start_service(log, "--store", "memory:", "--seed", *options, environ=environ)
                ends.callback(running[key].stop)
            return running[key]

        yield started
