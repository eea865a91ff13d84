"""The list of deviations tells what to leave out for which server, and nothing that no test shows."""

from __future__ import annotations

import re
from pathlib import Path

from tests.storage import deviations


def test_each_deviation_is_shown_by_a_test_and_belongs_to_a_server() -> None:
    names = {name for name, value in vars(deviations).items() if name.isupper() and isinstance(value, str)}
    texts = [path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py")]
    shown = {
        name for name in names for text in texts if re.search(rf"deviation\(.*\b{name}\b|^    {name}: ", text, re.M)
    }

    assert shown == names
    assert set.union(*deviations.DEVIATIONS.values()) == {vars(deviations)[name] for name in names}
    assert set(deviations.SAID_BY.values()) == deviations.DEVIATIONS.keys()


def test_the_server_under_test_is_known_by_what_it_says_of_itself(mongo_uri: str) -> None:
    server = deviations.server_of(mongo_uri)

    assert deviations.deviations_of(mongo_uri) == (deviations.DEVIATIONS[server] if server else set())


def test_operators_can_read_the_deviations() -> None:
    text = (Path(__file__).parents[2] / "docs/how-to/mongodb.md").read_text()
    names = sorted(set.union(*deviations.DEVIATIONS.values()))
    cells = [["yes" if name in found else "" for found in deviations.DEVIATIONS.values()] for name in names]
    rows = [
        f"| {' | '.join([name, *answers])} |".replace("|  |", "| |") for name, answers in zip(names, cells, strict=True)
    ]

    assert [row for row in rows if row not in text] == []
