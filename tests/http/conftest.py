"""Starts the services that the tests in these folders use, and clients that check responses against their contracts."""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import pytest
from tests.api import STACK, Api
from tests.http.resources import LEAD, QUOTE, TICKET, Resource
from tests.identity import Provider
from tests.mongodb.databases import Databases
from tests.reference_stack.commands import on_reference
from tests.reference_stack.expectations import expect_known_differences
from tests.service import SERVE, Service, start_service
from tests.storage.deviations import skip_what_deviates
from tests.truth import Truth

from tmf_sales.contract.loader import load_contracts

CONTRACTS = Path(__file__).parents[2] / "openapi"
TICKET_CONTRACT = Path(__file__).parents[1] / "contract/ticket/tmf621-ticket-v4.yaml"
SERVE_TICKETS = (sys.executable, "-m", "tests.contract.ticket.serve")
SALES = "/tmf-api/sales/v4"
QUOTES = "/tmf-api/quoteManagement/v4"


KEPT = 6
"""So many shared services outlive a module: starting one costs a second, and each idle one a hundredth of a core."""


class Services:
    """Starts services for the tests of a module; the shared ones that were asked for last go on for the next."""

    def __init__(self, folder: Path, databases: Databases, ends: ExitStack) -> None:
        self._folder = folder
        self._databases = databases
        self._ends = ends
        self._numbers = itertools.count()
        self._shared: dict[tuple[str, ...], Service] = {}  # the one asked for last is last
        self._running: list[tuple[Service, Callable[[], None]]] = []  # and how each is stopped
        self.truth = Truth(load_contracts(CONTRACTS))

    def on(
        self, store: str, *options: str, command: Sequence[str] = SERVE, stack: str = STACK, **environ: str
    ) -> Service:
        """The service on a store of this kind with these options and variables, shared by all who ask for the same."""
        key = (*command, stack, store, *options, *(f"{name}={value}" for name, value in sorted(environ.items())))
        service = self._shared.pop(key, None)
        if service is None:
            service = self.at(self.new_store(store), *options, command=command, stack=stack, **environ)
        self._shared[key] = service
        return service

    def at(
        self, url: str, *options: str, command: Sequence[str] = SERVE, stack: str = STACK, **environ: str
    ) -> Service:
        """A new service on the store with this URL; `stack`: asgi is the service itself, flask the reference."""
        if stack == "flask":
            command = on_reference(command)
        log = self._folder / f"{next(self._numbers)}.log"
        service = start_service(log, "--store", url, *options, command=command, environ=environ)
        self._running.append((service, service.abandon if stack == "flask" else service.stop))
        return service

    def stop_all_but(self, kept: int) -> None:
        """Stop the services but for so many shared ones, those asked for last."""
        self._shared = dict(list(self._shared.items())[-kept:] if kept else ())
        running, self._running = self._running, []
        with ExitStack() as ends:  # all are stopped, also when one does not end well
            for service, stop in running:
                if service in self._shared.values():
                    self._running.append((service, stop))
                else:
                    ends.callback(stop)

    def new_store(self, kind: str) -> str:
        """The URL of a store of this kind that nobody has used."""
        number = next(self._numbers)
        if kind == "mongo":
            return self._databases.new()
        return "memory:" if kind == "memory" else f"sqlite:///{self._folder}/{number}.sqlite"

    def of(self, resource: Resource, store: str, *options: str, **environ: str) -> Api:
        """A client of the resource's API on such a service."""
        command = (*SERVE_TICKETS, "--contracts", str(self._tickets)) if resource is TICKET else SERVE
        return self.api(self.on(store, *options, command=command, **environ), resource.base_path)

    @cached_property
    def _tickets(self) -> Path:
        """A folder with the third contract and the components that it shares with the others."""
        folder = self._folder / "contracts"
        folder.mkdir()
        for path in (TICKET_CONTRACT, CONTRACTS / "tmf-common-v4.yaml"):
            shutil.copy(path, folder)
        self.truth.add(load_contracts(folder))
        return folder

    def api(self, service: Service, base_path: str) -> Api:
        return self._ends.enter_context(Api(service.url, base_path, self.truth))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if STACK != "asgi":
        folder = Path(__file__).parent
        expect_known_differences(item for item in items if folder in item.path.parents)


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Services]:
    with ExitStack() as ends:
        services = Services(tmp_path_factory.mktemp("services"), databases, ends)
        ends.callback(services.stop_all_but, 0)
        yield services


@pytest.fixture(scope="module", autouse=True)
def services_end_with_their_module(services: Services) -> Iterator[None]:
    yield
    services.stop_all_but(KEPT)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """Who signs the tokens that a service with authentication takes."""
    return Provider(tmp_path_factory.mktemp("provider"))


@pytest.fixture(scope="session", params=[pytest.param("memory", marks=pytest.mark.full), "sqlite", "mongo"])
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _deviations(request: pytest.FixtureRequest, databases: Databases) -> None:
    """Skip what the server is known to do otherwise than MongoDB."""
    if "mongo" in request.node.name:
        skip_what_deviates(request.node, databases.uri)


# The clients belong to a module, because a module may have a `store` of its own.


@pytest.fixture(scope="module")
def leads(services: Services, store: str) -> Api:
    return services.api(services.on(store), SALES)


@pytest.fixture(scope="module")
def quotes(services: Services, store: str) -> Api:
    return services.api(services.on(store), QUOTES)


@pytest.fixture(scope="session", params=[LEAD, QUOTE, TICKET], ids=["lead", "quote", "ticket"])
def resource(request: pytest.FixtureRequest) -> Resource:
    kind = request.param
    assert isinstance(kind, Resource)
    return kind


@pytest.fixture(scope="module")
def api(services: Services, store: str, resource: Resource) -> Api:
    """The API of the resource at hand, for what holds for every resource."""
    return services.of(resource, store)


@pytest.fixture(scope="module")
def front(services: Services, resource: Resource) -> Api:
    """The API of the resource at hand, for what is decided before any store is asked."""
    return services.of(resource, "memory")
