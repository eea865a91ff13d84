"""Runs the fuzz test of the contracts for a chosen time, with new data each time."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.fuzz.schemathesis_run import BASE_PATHS, PHASES, command, environment, totals  # noqa: E402
from tests.service import start_service  # noqa: E402

FAILURES = ROOT / "fuzz-failures"


def main() -> int:
    asked = options()
    print(f"seed {asked.seed}: repeat with scripts/fuzz --seed {asked.seed} --seconds {asked.seconds}", flush=True)
    apis = [asked.api] if asked.api else list(BASE_PATHS)
    failed = [api for api in apis if not finds_nothing(api, asked, asked.seconds // len(apis))]
    for api in failed:
        print(f"{api}: what failed is in {FAILURES / api}")
    return int(bool(failed))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long to look, over all APIs (default 600)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), help="what a run printed")
    parser.add_argument("--api", choices=BASE_PATHS, help="only this one")
    parser.add_argument("--store", default="sqlite", help="sqlite (a fresh file), memory, or a mongodb:// URL")
    parser.add_argument(
        "--everywhere", action="store_true", help="break each rule wherever its type stands: takes hours"
    )
    return parser.parse_args()


def finds_nothing(api: str, asked: argparse.Namespace, seconds: int) -> bool:
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        stores = {"sqlite": f"sqlite:///{folder}/fuzz.sqlite", "memory": "memory:"}
        service = start_service(folder / "log", "--store", stores.get(asked.store, asked.store))
        ends.callback(service.abandon)
        called = command(
            service.url, api, PHASES, "--seed", str(asked.seed), "--max-time", str(max(seconds, 1)),
            "--report", "pytest,json", "--report-dir", str(FAILURES / api),
        )  # fmt: skip
        done = subprocess.run(
            called,
            cwd=folder,
            env=environment(everywhere=asked.everywhere),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout if done.returncode else "", end="")
        operations, cases = totals(done.stdout)
        print(f"fuzz: {operations} operations, {cases} cases ({api} on {asked.store})", flush=True)
        defects = "Traceback" in (folder / "log").read_text()
        if defects:
            print((folder / "log").read_text())
        return done.returncode == 0 and not defects


if __name__ == "__main__":
    sys.exit(main())
