"""Reports the coverage and its gaps: 100 % of lines and branches is required where a defect loses data, 95 % overall.

scripts/coverage_gate.py .coverage.json             reports the coverage
scripts/coverage_gate.py .coverage.json --enforce   also fails when it is too low
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

GATES = {
    "src/tmf_sales/contract/": 100.0,
    "src/tmf_sales/query/": 100.0,
    "src/tmf_sales/patch/": 100.0,
    "src/tmf_sales/engine/": 100.0,
    "src/tmf_sales/events/": 100.0,
    "src/tmf_sales/storage/": 100.0,
    "src/": 95.0,
}


def covered(files: dict[str, Any], room: str) -> float:
    """The percentage of covered lines and branches in the files below `room`."""
    sums = [entry["summary"] for name, entry in files.items() if name.startswith(room)]
    whole = sum(each["num_statements"] + each.get("num_branches", 0) for each in sums)
    reached = sum(each["covered_lines"] + each.get("covered_branches", 0) for each in sums)
    return 100.0 * reached / whole if whole else 100.0


def gaps(files: dict[str, Any], room: str) -> list[str]:
    """One line for each file below `room` with lines or branches that no test reaches."""
    lines = []
    for name, entry in sorted(files.items()):
        branches = [f"{start}->{end}" for start, end in entry.get("missing_branches", [])]
        missing = [*map(str, entry["missing_lines"]), *branches]
        if name.startswith(room) and missing:
            lines.append(f"  {name}: {', '.join(missing[:12])}{' ...' if len(missing) > 12 else ''}")
    return lines


def main(report: str, *options: str) -> int:
    files = json.loads(Path(report).read_text())["files"]
    failed = False
    for room, least in GATES.items():
        reached = covered(files, room)
        short = reached < least
        failed = failed or short
        print(f"coverage {room:28} {reached:6.2f} % of {least:.0f} %{'  TOO LITTLE' if short else ''}")
        if short:
            print("\n".join(gaps(files, room)))
    return int(failed and "--enforce" in options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
