"""Our own service passes every check, on every store, with the delivery of events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conformance.service_under_test import APIS, BASES, PATIENCE, TYPES, ServiceUnderTest, checks_of
from tests.mongodb.databases import Databases
from tests.service import start_service

from tmf_conformance.api import Api
from tmf_conformance.http.listener import Listener
from tmf_conformance.outcome import Verdict
from tmf_conformance.run import Report, Target, run

Recorded = Callable[[str, object], None]


def expect_all_passed(report: Report, store: str, record_property: Recorded) -> None:
    others = [f"{each.check.id} {each.verdict}: {each.reason}" for each in report.results if each.verdict != "passed"]
    assert others == []
    assert report.remaining == []
    passed = report.count(Verdict.PASSED)
    assert passed == len(checks_of(report.api))
    record_property("figure", f"conformance: {passed} checks passed ({report.api.name} on {store})")


@pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))
def test_our_service_passes_every_check(service: ServiceUnderTest, api: Api, record_property: Recorded) -> None:
    expect_all_passed(service.report(api), "memory", record_property)


@pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))
def test_a_service_whose_clock_has_whole_seconds_passes_every_check(
    coarse_service: ServiceUnderTest, api: Api, record_property: Recorded
) -> None:
    expect_all_passed(coarse_service.report(api), "memory, whole seconds", record_property)


@pytest.fixture(params=["sqlite", "mongo"])
def store(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> tuple[str, str]:
    """The kind of a store, and its URL."""
    kind = request.param
    return kind, databases.new() if kind == "mongo" else f"sqlite:///{tmp_path}/store.sqlite"


@pytest.mark.full
@pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))
def test_our_service_passes_every_check_on_every_store(
    store: tuple[str, str], api: Api, tmp_path: Path, record_property: Recorded
) -> None:
    kind, url = store
    service = start_service(tmp_path / "log", "--store", url)
    with service, Listener(("127.0.0.1", 0), "", PATIENCE) as listener:
        listener.callback = f"http://127.0.0.1:{listener.port}"
        target = Target(api, f"{service.url}{BASES[api.name]}", TYPES[api.name], timeout=PATIENCE)
        expect_all_passed(run(target, checks_of(api), listener), kind, record_property)
