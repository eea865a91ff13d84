"""`make soak`: puts half load on the service for an hour while everything restarts in turn."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from scripts.soak.load import CLIENTS, Load
from scripts.soak.plan import CYCLE, MEASURED, SAMPLED, Plan
from scripts.soak.receiver import receiving
from scripts.soak.records import Records
from scripts.soak.report import MEGABYTE, Figures, Sample, failures, lines
from scripts.soak.stack import LINKS, Stack, client_of, running, subscribe
from tests.edge.nginx import NGINX
from tests.mongodb.mongod import find_program

CALIBRATION = 10.0
HIGHEST_RATE = 200.0
READINGS, READING_EVERY = 5, 0.5
PATIENCE = 300.0


class Soak:
    """One run."""

    def __init__(self, stack: Stack, load: Load, plan: Plan) -> None:
        self.stack = stack
        self.load = load
        self.plan = plan
        self.figures = Figures()
        self._begun = time.monotonic()

    async def run(self, rate: float | None) -> None:
        sending = asyncio.create_task(self.load.run())
        restarting = asyncio.create_task(self._restart_in_turn(rate))
        await asyncio.wait({sending, restarting}, return_when=asyncio.FIRST_COMPLETED)
        self.load.is_over = True
        for ended in await asyncio.gather(sending, restarting, return_exceptions=True):
            if ended is not None:
                self.load.records.add_problem(repr(ended))
        self.figures.seconds = time.monotonic() - self._begun
        await self._wait_for_events()
        await self._check_kept()
        self.load.records.finish()
        self.figures.log_errors = [
            f"{name}: {line}" for name, node in self.stack.nodes.items() for line in node.log_errors()
        ][:20]

    async def _restart_in_turn(self, rate: float | None) -> None:
        await self._calibrate(rate)
        for step in MEASURED:
            await self._step(step)
        while self._elapsed() < self.plan.measured_until:
            for step in CYCLE:
                await self._step(step)
            if self._elapsed() >= self.plan.measured_from:
                await self._measure()
        for step in MEASURED:
            await self._step(step)

    async def _calibrate(self, rate: float | None) -> None:
        """Find the rate of half load: what is answered without a limit, halved."""
        await asyncio.sleep(CALIBRATION / 2)
        before = self.load.requests
        await asyncio.sleep(CALIBRATION)
        self.figures.capacity = (self.load.requests - before) / CALIBRATION
        self.figures.rate = self.load.pace.rate = rate or min(self.figures.capacity / 2, HIGHEST_RATE)

    async def _step(self, step: str) -> None:
        begun = time.monotonic()
        self.load.outage.take()
        await asyncio.to_thread(self.stack.run_step, step)
        await self._more_writes()
        seconds, announced = self.load.outage.take()
        self.figures.outages[step].append((seconds, announced))
        self._say(f"{step}: {seconds:.1f} s without a write, {announced} times 503")
        await asyncio.sleep(max(0.0, self.plan.step - (time.monotonic() - begun)))

    async def _more_writes(self) -> None:
        before = self.load.writes
        async with asyncio.timeout(PATIENCE):
            while self.load.writes < before + 2:  # noqa: ASYNC110  the clients have no other way to tell
                await asyncio.sleep(0.05)

    async def _measure(self) -> None:
        readings: dict[str, list[Sample]] = {name: [] for name in SAMPLED}
        for _ in range(READINGS):
            await asyncio.sleep(READING_EVERY)
            for name in SAMPLED:
                node = self.stack.nodes[name]
                readings[name].append(Sample(node.memory(), node.descriptors()))
        for name, found in readings.items():
            memory = int(statistics.median(each.memory for each in found))
            descriptors = int(statistics.median(each.descriptors for each in found))
            self.figures.samples[name].append(Sample(memory, descriptors))
            self._say(f"{name}: {memory / MEGABYTE:.1f} MiB, {descriptors} descriptors")

    async def _wait_for_events(self) -> None:
        """Wait until each event of an acknowledged write has arrived; what is missing in the end is a failure."""
        records = self.load.records
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while any(lead.waits() for lead in records.leads.values()):  # noqa: ASYNC110  nor has the receiver
                    await asyncio.sleep(0.5)

    async def _check_kept(self) -> None:
        """Read each lead that was not deleted: it is as its last acknowledged write made it."""
        self.load.pace.rate = 0
        waiting = list(self.load.records.kept.items())
        self.figures.kept = len(waiting)

        async def check() -> None:
            while waiting:
                id, possible = waiting.pop()
                await self.load.check(id, possible)

        await asyncio.gather(*(check() for _ in range(CLIENTS)))

    def _say(self, text: str) -> None:
        print(f"{self._elapsed():6.0f} s  {text}", flush=True)

    def _elapsed(self) -> float:
        return time.monotonic() - self._begun


async def soak(folder: Path, minutes: float, rate: float | None) -> tuple[list[str], list[str]]:
    """Run, and return the lines of the report and the failures."""
    records = Records()
    async with running(folder) as (stack, proxy), receiving(records) as callback, client_of(proxy) as client:
        await subscribe(client, callback)
        run = Soak(stack, Load(client, records, random.Random(1), LINKS), Plan(minutes * 60))
        await run.run(rate)
        return list(lines(run.figures, run.load)), list(failures(run.figures, run.load))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long it runs (default: 60)")
    parser.add_argument("--rate", type=float, help="requests a second; by default half of what is answered")
    parser.add_argument("--folder", type=Path, help="keep data and logs in this new folder")
    given = parser.parse_args()
    if NGINX is None or not find_program().is_mongod:
        print("make soak needs nginx (apt-get install nginx-light) and a real mongod", file=sys.stderr)
        return 2
    with contextlib.ExitStack() as ends:
        folder = given.folder or Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="soak")))
        folder.mkdir(exist_ok=given.folder is None)
        report, found = asyncio.run(soak(folder, given.minutes, given.rate))
    print("\n" + "\n".join(report))
    for failure in found:
        print(f"failed: {failure}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
