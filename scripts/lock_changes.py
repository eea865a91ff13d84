"""Prints what a new lock file changes: versions added, removed and changed, and files added to a pinned version.

scripts/lock_changes.py BEFORE AFTER
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+(?: ;.*?)?)(?: \\)?$")


def pinned(text: str) -> dict[str, tuple[str, int]]:
    """Name -> version with its environment marker, and number of hashes."""
    found: dict[str, tuple[str, int]] = {}
    name = None
    for line in text.splitlines():
        if match := PINNED.match(line):
            name = match[1]
            found[name] = (match[2], 0)
        elif name and "--hash=" in line:
            version, hashes = found[name]
            found[name] = (version, hashes + 1)
    return found


def changes(before: str, after: str) -> list[str]:
    """One line for each package that differs, in the order of their names."""
    old, new = pinned(before), pinned(after)
    lines = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            lines.append(f"added    {name} {new[name][0]}")
        elif name not in new:
            lines.append(f"removed  {name} {old[name][0]}")
        elif old[name][0] != new[name][0]:
            lines.append(f"changed  {name} {old[name][0]} -> {new[name][0]}")
        elif old[name] != new[name]:
            lines.append(f"files    {name} {new[name][0]}: {old[name][1]} -> {new[name][1]} hashes")
    return lines


def main(before: str, after: str) -> int:
    lines = changes(Path(before).read_text(encoding="utf-8"), Path(after).read_text(encoding="utf-8"))
    print(f"{Path(after).name}: {len(lines)} changes" if lines else f"{Path(after).name}: no change")
    for line in lines:
        print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
