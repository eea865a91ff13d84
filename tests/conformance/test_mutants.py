"""Each check can fail: for each there is a server with one defect that it finds, and no other check does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.conformance.mutants import mutants_of
from tests.conformance.service_under_test import APIS, PATIENCE, RenewedService, ServiceUnderTest, checks_of

from tmf_conformance.api import Api
from tmf_conformance.outcome import Verdict

SHORT = 3.0  # seconds after which an event that never comes is given up; the others come within milliseconds
LOST = {f"event-{kind}" for kind in ("Create", "StateChange", "AttributeValueChange", "Delete")}
REPRESENTATIVE = (
    ("tmf648", "create-answers-201"),
    ("tmf699", "filter-rating"),
    ("tmf648", "state-inProgress-no-further"),
)


def found_by(service: ServiceUnderTest, api: Api, id: str) -> list[str]:
    """The checks that fail on the mutant of this one."""
    patience = SHORT if id in LOST else PATIENCE
    report = service.report(api, mutants_of(api)[id], patience=patience)
    return [result.check.id for result in report.results if result.verdict is Verdict.FAILED]


@pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))
def test_every_check_has_a_mutant(api: Api, record_property: Callable[[str, object], None]) -> None:
    table = mutants_of(api)

    assert sorted(table) == sorted(check.id for check in checks_of(api))
    record_property("figure", f"conformance: {len(table)} mutants, one for each check ({api.name})")


@pytest.mark.parametrize(("api", "id"), REPRESENTATIVE, ids=lambda value: str(value))
def test_a_defect_is_found_by_its_check_alone(service: ServiceUnderTest, api: str, id: str) -> None:
    assert found_by(service, APIS[api], id) == [id]


@pytest.mark.parametrize(
    ("api", "id"),
    [
        ("tmf648", "filter-quoteDate"),
        ("tmf699", "filter-creationDate"),
        ("tmf699", "filter-statusChangeDate"),
        ("tmf699", "lead-status-date-moves"),
    ],
)
def test_a_defect_is_found_by_equal_times_too(coarse_service: ServiceUnderTest, api: str, id: str) -> None:
    assert found_by(coarse_service, APIS[api], id) == [id]


def defects() -> Iterator[tuple[str, str]]:
    """What both APIs check in the same way is tried on one of them, by turns."""
    tables = {name: mutants_of(api) for name, api in APIS.items()}
    both = [id for id in tables["tmf648"] if id in tables["tmf699"]]
    by_turns = {"tmf648": both[::2], "tmf699": both[1::2]}
    for name, table in tables.items():
        for id in table:
            if id not in both or id in by_turns[name]:
                yield name, id


@pytest.mark.full
@pytest.mark.parametrize(("api", "id"), list(defects()), ids=lambda value: str(value))
def test_every_defect_is_found_by_its_check_alone(renewed: RenewedService, api: str, id: str) -> None:
    assert found_by(renewed(), APIS[api], id) == [id]
