"""What holds for all tests: random input is the same in every run, and its pace on a busy machine is no failure.

Settings in the environment do not reach the tests, nor does a store that they name. What the tests start can be
interrupted, though they may run in the background, where a shell lets SIGINT be ignored.

The end of the run lists what tests recorded as the property `figure`, whichever process ran them.

`scripts/test --hypothesis-profile=random ...` looks for something new.
"""

import gc
import os
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings
from tests.mongodb.databases import Databases
from tests.mongodb.mongod import find_program
from tests.mongodb.server import used

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("random", PATIENT)
settings.register_profile("repeatable", PATIENT, derandomize=True)
settings.load_profile("repeatable")

for name in [name for name in os.environ if name.startswith("TMF_SALES_")]:
    del os.environ[name]
signal.signal(signal.SIGINT, signal.default_int_handler)
# Each process that the tests start would compile again what another one has compiled, and pytest its test modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector ten thousand tests: it finds nothing among them, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Databases of one server, which starts when a test first asks for one."""
    with ExitStack() as ends:
        yield Databases(lambda: tmp_path_factory.mktemp("mongo"), ends)


@pytest.fixture
def _mongod() -> None:
    """Skip where there is no real server: the stand-in has no replica sets, users and certificates."""
    if not find_program().is_mongod:
        pytest.skip(find_program().name)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    item.user_properties.extend(("mongodb", name) for name in used)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    servers = {
        value for report in reports for name, value in getattr(report, "user_properties", ()) if name == "mongodb"
    }
    for server in sorted(servers):
        terminalreporter.write_line(f"mongodb: {server}")
    for report in reports:
        if getattr(report, "when", None) == "call":
            for name, value in report.user_properties:
                if name == "figure":
                    terminalreporter.write_line(str(value))
