"""The service of this repository in this process, while the tests run, and conformance runs against it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

import uvicorn
from tests.conformance.mutant import RELAY, RIGHT, Mutant, Wrapped

from tmf_conformance.api import Api
from tmf_conformance.check import Check
from tmf_conformance.http.listener import Listener
from tmf_conformance.profile import SPECIFICATION, Profile
from tmf_conformance.registry import suites
from tmf_conformance.response_types import ResponseTypes
from tmf_conformance.run import Report, Target, run
from tmf_sales.app import create_app
from tmf_sales.app.composition import Clock, utc_now
from tmf_sales.configuration.settings import Settings

BASES = {"tmf648": "/tmf-api/quoteManagement/v4", "tmf699": "/tmf-api/sales/v4"}
PATIENCE = 60.0
APIS = {name: suite.api for name, suite in suites().items()}
TYPES = {name: ResponseTypes(api.contract) for name, api in APIS.items()}


def checks_of(api: Api) -> list[Check]:
    return suites()[api.name].checks()


@dataclass(slots=True)
class ServiceUnderTest:
    """A service that can be made wrong, and what listens to it."""

    wrapped: Wrapped
    url: str

    def report(
        self,
        api: Api,
        mutant: Mutant = RIGHT,
        *,
        patience: float = PATIENCE,
        profile: Profile = SPECIFICATION,
        only: tuple[str, ...] = ("",),
    ) -> Report:
        """What a conformance run with delivery finds when the service is this mutant."""
        self.wrapped.base, self.wrapped.resource = BASES[api.name], api.resource
        self.wrapped.become(mutant)
        target = Target(api, f"{self.url}{BASES[api.name]}", TYPES[api.name], timeout=PATIENCE, profile=profile)
        with Listener(("127.0.0.1", 0), f"{self.url}{RELAY}", patience) as listener:
            self.wrapped.listener = f"http://127.0.0.1:{listener.port}"
            try:
                return run(target, [each for each in checks_of(api) if each.id.startswith(only)], listener)
            finally:
                self.wrapped.listener = ""


def whole_seconds() -> datetime:
    """A clock after which what happens within a second has the same time."""
    return utc_now().replace(microsecond=0)


@contextmanager
def served(clock: Clock = utc_now) -> Iterator[ServiceUnderTest]:
    with socket.create_server(("127.0.0.1", 0)) as at:
        port = at.getsockname()[1]
        wrapped = Wrapped(create_app(Settings(store="memory:", port=port), clock=clock))
        server = uvicorn.Server(
            uvicorn.Config(wrapped, log_level="error", lifespan="on", http="httptools", loop="uvloop")
        )
        thread = threading.Thread(target=server.run, args=([at],))
        thread.start()
        try:
            yield ServiceUnderTest(wrapped, f"http://127.0.0.1:{port}")
        finally:
            server.should_exit = True
            thread.join()


class RenewedService:
    """A service that is another one after so many uses, because its log of events only grows."""

    USES = 40

    def __init__(self, ends: ExitStack) -> None:
        self._ends = ends
        self._uses = 0

    def __call__(self) -> ServiceUnderTest:
        if self._uses % self.USES == 0:
            self._ends.close()
            self._service = self._ends.enter_context(served())
        self._uses += 1
        return self._service
