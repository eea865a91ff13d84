"""Generates the load: repeats requests over some connections, from the other core, with wrk or else with Python."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from scripts.benchmark.figures import Sample
from scripts.benchmark.processes import Running
from scripts.benchmark.traffic import Sent

SCRIPT = Path(__file__).with_name("requests.lua")
SETTLES = 0.1


class Unanswered(RuntimeError):
    """Raised when no request was answered in time, and none failed: the machine is too busy, or the time too short."""


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def load(
    server: Running, requests: Sequence[Sent], *, seconds: float, connections: int, core: int, folder: Path
) -> Sample:
    """Send the requests in turn; raise RuntimeError when one fails, Unanswered when none gets a response."""
    before = server.processor_time()
    send = _with_wrk if has_wrk() else _with_python
    measured = send(server.port, requests, seconds, connections, core, folder)
    time.sleep(SETTLES)
    computed = server.processor_time() - before
    sent = int(measured["requests"])
    if measured["errors"] or not sent:
        failed = RuntimeError if measured["errors"] else Unanswered
        raise failed(f"{requests[0].method} {requests[0].path}: {measured['errors']} errors in {sent} answers")
    return Sample(
        sent, measured["seconds"], computed / sent * 1e6, measured["p50"], measured["p99"], measured["longest"]
    )


def _with_wrk(
    port: int, requests: Sequence[Sent], seconds: float, connections: int, core: int, folder: Path
) -> dict[str, float]:
    listed = folder / "requests.bin"
    listed.write_bytes(b"".join(b"%d\n%b" % (len(text), text) for text in (each.text(port) for each in requests)))
    limits = ["-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--timeout", "10s"]
    command = ["taskset", "--cpu-list", str(core), "wrk", *limits, "-s", str(SCRIPT)]
    ran = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/", str(listed)], capture_output=True, text=True, check=True
    )
    figures: dict[str, float] = json.loads(ran.stdout.strip().splitlines()[-1])
    return figures


def _with_python(
    port: int, requests: Sequence[Sent], seconds: float, connections: int, core: int, folder: Path
) -> dict[str, float]:
    del folder
    home = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return asyncio.run(_send_all([each.text(port) for each in requests], port, seconds, connections))
    finally:
        os.sched_setaffinity(0, home)


async def _send_all(texts: Sequence[bytes], port: int, seconds: float, connections: int) -> dict[str, float]:
    numbers, taken, errors = count(), list[float](), list[int]()
    started = time.perf_counter()

    async def send_in_turn() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        while (sent := time.perf_counter()) < started + seconds:
            writer.write(texts[next(numbers) % len(texts)])
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            taken.append(time.perf_counter() - sent)
            if head[9:10] != b"2":
                errors.append(int(head[9:12]))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(send_in_turn() for _ in range(connections)))
    whole = time.perf_counter() - started
    cuts = statistics.quantiles(taken, n=100) if len(taken) > 1 else [0.0] * 99
    figures = {"p50": cuts[49], "p99": cuts[98], "longest": max(taken, default=0.0)}
    return {
        "requests": len(taken),
        "seconds": whole,
        "errors": len(errors),
        **{name: value * 1000 for name, value in figures.items()},
    }
