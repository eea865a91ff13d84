"""What a specification leaves to a server, or what servers in the field do, is no failure of a mandatory check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tests.conformance.mutant import RIGHT, Call, Memory, Mutant, Reply
from tests.conformance.mutations import request
from tests.conformance.peers import Peer, ignores_null, peers
from tests.conformance.service_under_test import APIS, BASES, ServiceUnderTest

from tmf_conformance.outcome import Verdict
from tmf_conformance.run import Report

PEERS = list(peers())
QUICK = {
    "JSON Patch is answered with 400",
    "JSON Patch is accepted and ignored",
    "/hub is answered with 404",
    "another version is answered with 409",
    "every search is empty",
    "every creation is answered with 200",
    "the types of media are other ones",
    "an attribute is not stored",
    "no PATCH: 405",
    "no DELETE: 405",
}


def failures_of(report: Report) -> set[str]:
    return {result.check.id for result in report.results if result.breaks_conformance}


def rows(*, quick: bool) -> Iterator[Any]:
    for peer in PEERS:
        for api in peer.apis[: 1 if quick else None]:
            marks = () if quick and peer.name in QUICK else pytest.mark.full
            yield pytest.param(peer, api, marks=marks, id=f"{peer.name}, {api}")


def verdict_of(peer: Peer, check: str) -> Verdict:
    """What the check must say: the row with the longest start of its id decides."""
    return peer.checks[max((start for start in peer.checks if check.startswith(start)), key=len)]


@contextmanager
def emptied(service: ServiceUnderTest, api: str) -> Iterator[None]:
    """Remove what a server without DELETE kept."""
    yield
    service.wrapped.become(RIGHT)
    collection = f"{service.url}{BASES[api]}{APIS[api].path}"
    for each in httpx.get(f"{collection}?limit=1000&fields=id").json():
        httpx.delete(f"{collection}/{each['id']}")


@pytest.mark.parametrize(("peer", "api"), list(rows(quick=True)))
def test_a_missing_feature_is_no_failure(service: ServiceUnderTest, peer: Peer, api: str) -> None:
    with emptied(service, api):
        report = service.report(
            APIS[api], peer.server, profile=peer.profile, only=(*peer.checks, *peer.failures), patience=3.0
        )

    assert failures_of(report) == peer.failures
    found = {each.check.id: each.verdict for each in report.results if each.check.id not in peer.failures}
    assert found == {id: verdict_of(peer, id) for id in found}
    assert any("--sample" in hint for hint in report.hints) is peer.hints
    assert bool(report.remaining) is peer.remaining


@pytest.mark.full
@pytest.mark.parametrize(("peer", "api"), list(rows(quick=False)))
def test_a_missing_feature_is_no_failure_of_any_check(service: ServiceUnderTest, peer: Peer, api: str) -> None:
    with emptied(service, api):
        report = service.report(APIS[api], peer.server, profile=peer.profile, patience=3.0)

    assert failures_of(report) == peer.failures


@pytest.mark.parametrize("api", APIS)
def test_a_server_that_ignores_null_fails(service: ServiceUnderTest, api: str) -> None:
    server = request("PATCH one", ignores_null)

    report = service.report(APIS[api], server, only=("merge-patch-null-removes",))

    assert [result.verdict for result in report.results] == [Verdict.FAILED]


def test_a_version_that_survives_its_quote_is_reported(service: ServiceUnderTest) -> None:
    """The server says that it has deleted the quote, and still answers for its second version."""

    def still_there(call: Call, reply: Reply, memory: Memory) -> None:
        quote, directive, _ = call.path.partition(":(version=2)")
        if call.what == "GET one" and directive and quote in memory.deleted:
            reply.status, reply.body = 200, {"id": call.id, "version": "2"}

    report = service.report(APIS["tmf648"], Mutant(after=still_there), only=("version-create", "create-answers"))

    assert failures_of(report) == set()
    (remaining,) = report.remaining
    assert "/tmf-api/quoteManagement/v4/quote/" in remaining


def test_a_quote_that_survives_its_deletion_is_reported(service: ServiceUnderTest) -> None:
    def nothing_happens(call: Call) -> Reply:
        return Reply(204, {}, b"")

    with emptied(service, "tmf648"):
        report = service.report(APIS["tmf648"], request("DELETE one", nothing_happens), only=("create-answers",))

    assert len(report.remaining) == 1
