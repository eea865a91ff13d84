"""What the README shows of calls and answers is what the service answers."""

from __future__ import annotations

from pathlib import Path

from tests.docs.readme_calls import README, comparable, made, shown_calls
from tests.service import start_service


def test_the_readme_shows_true_answers(tmp_path: Path) -> None:
    calls = list(shown_calls(README.read_text(encoding="utf-8")))
    assert len(calls) >= 12

    service = start_service(tmp_path / "log", "--seed", "--store", f"sqlite://{tmp_path}/readme.sqlite")
    try:
        for call in calls:
            assert comparable(made(call, service.url)) == comparable(call.answer), call.command
    finally:
        service.stop()
