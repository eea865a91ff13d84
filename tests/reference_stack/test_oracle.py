"""Stock Connexion as oracle: the service's compiled validation gives the verdicts that Connexion's own gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import httpx
import pytest
from tests.api import PATIENCE
from tests.reference_stack.commands import SERVE_REFERENCE
from tests.reference_stack.oracle_differences import DIFFERENCES, Answers, Difference
from tests.reference_stack.oracle_requests import GROUPS, Call, creations, odd_bodies, reads, whole_resources
from tests.service import start_service

TABLE = Path(__file__).parents[2] / "docs/explanation/connexion-differences.md"


@dataclass(frozen=True, slots=True)
class Stacks:
    """The service and the reference, each on an empty store of its own, over HTTP."""

    service: httpx.Client
    stock: httpx.Client

    def ask(self, call: Call) -> Answers:
        return Answers(ask(self.service, call), ask(self.stock, call))


def ask(client: httpx.Client, call: Call) -> httpx.Response:
    collection, of_one, rest = call.path.partition("/{id}")
    path = call.path
    if of_one:
        created = client.post(collection, json=call.made_of)
        assert created.status_code == 201, created.text
        path = f"{collection}/{created.json()['id']}{rest}"
    content = iter([call.content or b""]) if call.chunked else call.content
    return client.request(call.method, path, content=content, headers=call.headers)


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """The log of the reference is not checked, as it reports the requests that it fails on."""
    folder = tmp_path_factory.mktemp("stacks")
    with ExitStack() as ends:
        service = start_service(folder / "service.log", "--store", "memory:")
        ends.callback(service.stop)
        stock = start_service(folder / "stock.log", "--store", "memory:", command=SERVE_REFERENCE)
        ends.callback(stock.abandon)
        clients = (httpx.Client(base_url=one.url, timeout=PATIENCE) for one in (service, stock))
        yield Stacks(*map(ends.enter_context, clients))


def row_that_explains(call: Call, answers: Answers, stacks: Stacks) -> Difference | None:
    return next(
        (d for d in DIFFERENCES if d.explains(call, answers) and mended_calls_agree(d, call, answers, stacks)), None
    )


def mended_calls_agree(difference: Difference, call: Call, answers: Answers, stacks: Stacks) -> bool:
    """Without what the row is about the stacks agree, or differ for the reason of another row."""
    if difference.mend is None:
        return True
    mended = difference.mend(call, answers)
    again = stacks.ask(mended)
    return again.agree or row_that_explains(mended, again, stacks) is not None


@pytest.mark.parametrize("group", GROUPS)
def test_both_stacks_give_the_same_verdicts(
    stacks: Stacks, group: str, record_property: Callable[[str, object], None]
) -> None:
    unexplained, asked = [], 0
    for call in GROUPS[group]():
        asked += 1
        answers = stacks.ask(call)
        if not answers.agree and row_that_explains(call, answers, stacks) is None:
            unexplained.append(f"{call.name}: {answers.service.status_code}, stock {answers.stock.status_code}")
    record_property("figure", f"oracle: {asked} comparisons ({group})")
    assert not unexplained, "\n".join(unexplained)


def test_every_difference_is_a_row_of_the_documented_table() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", TABLE.read_text(), re.MULTILINE)

    assert rows[1:] == list(dict.fromkeys(difference.row for difference in DIFFERENCES))


def test_every_difference_still_exists(stacks: Stacks) -> None:
    missing = {difference.row for difference in DIFFERENCES}
    for call in chain(islice(creations(), 1), whole_resources(), odd_bodies(), reads()):
        answers = stacks.ask(call)
        if not answers.agree:
            missing -= {difference.row for difference in DIFFERENCES if difference.explains(call, answers)}
    assert not missing
