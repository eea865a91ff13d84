"""Fails when a source file is too long, or has a name that says nothing about its content."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOFT, HARD = 300, 450
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "misc"}


def findings(root: Path) -> tuple[list[str], list[str]]:
    """Return the files that should be shorter, and the files that must change."""
    soft, hard = [], []
    for path in sorted(path for room in ("src", "tests", "scripts") for path in (root / room).rglob("*.py")):
        name, length = path.relative_to(root), len(path.read_text(encoding="utf-8").splitlines())
        is_test = name.parts[0] == "tests"
        if length > HARD and not is_test:
            hard.append(f"{name}: {length} lines, at most {HARD}")
        elif length > (HARD if is_test else SOFT):
            soft.append(f"{name}: {length} lines, better under {HARD if is_test else SOFT}")
        if path.stem in SAYS_NOTHING:
            hard.append(f"{name}: the name does not say what is in it")
    return soft, hard


def main() -> int:
    soft, hard = findings(ROOT)
    for line in soft:
        print(f"note: {line}")
    for line in hard:
        print(line)
    return int(bool(hard))


if __name__ == "__main__":
    sys.exit(main())
