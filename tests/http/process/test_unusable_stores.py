"""A store that cannot be opened ends the start: by one line, and without anything made beside what is there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.service import PATIENCE, ROOT, SERVE


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("folder", "it is a directory"),
        ("missing/store.sqlite", "there is no directory {folder}/missing"),
        ("letter", "file is not a database"),
    ],
)
def test_the_start_says_why_in_one_line_and_leaves_nothing_behind(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "letter").write_text("Dear customer, " * 1000)
    there = sorted(tmp_path.rglob("*"))

    ended = subprocess.run(
        [*SERVE, "--port", "0", "--store", f"sqlite://{tmp_path}/{name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert ended.returncode != 0
    assert ended.stderr == f"Error: cannot open {tmp_path}/{name}: {said.format(folder=tmp_path)}\n"
    assert ended.stdout == ""
    assert sorted(tmp_path.rglob("*")) == there
