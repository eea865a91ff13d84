"""Draws the chart of docs/explanation/speed.md, with matplotlib in the benchmark's own environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.benchmark.contenders.packages import VENV, Missing, install_python_packages

PROGRAM = """
import json, sys
import matplotlib
matplotlib.use("Agg")
from matplotlib import pyplot
data = json.load(sys.stdin)
figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
for name, values in data["series"].items():
    axes.plot(data["labels"], values, marker="o", label=name)
axes.set_ylim(bottom=0, top=1.25 * max(max(each) for each in data["series"].values()))
axes.set_ylabel("processor time, microseconds a request")
axes.grid(axis="y", alpha=0.3)
axes.legend(frameon=False, ncols=4, loc="upper center")
figure.savefig(data["file"], dpi=110, metadata={"Software": None})
"""


def draw(file: Path, series: Mapping[str, Sequence[float]], labels: Sequence[str]) -> None:
    """Draw a line for each series over the labels, as PNG; without matplotlib only print a note on standard error."""
    try:
        install_python_packages()
    except Missing as reason:
        print(f"without a chart: {reason}", file=sys.stderr)
        return
    data = json.dumps({"file": str(file), "series": dict(series), "labels": list(labels)})
    subprocess.run([str(VENV / "bin" / "python"), "-c", PROGRAM], input=data, text=True, check=True)
