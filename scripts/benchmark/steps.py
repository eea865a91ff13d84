"""Says which steps a request spends its processor time in: `python -m scripts.benchmark.steps [memory|sqlite]`.

It calls the service in one process, without a socket, and looks a thousand times per second of processor time at the
function that runs. The time of a library counts for the function of the service that calls it, and Connexion's own
layers for routing.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from types import FrameType

from scripts.benchmark.driver import STORES, Lifespan, call, new_store, stored
from scripts.benchmark.figures import REQUESTS
from scripts.benchmark.traffic import Sent, sent

from tmf_sales.app import create_app
from tmf_sales.configuration.settings import Settings
from tmf_sales.http.middleware import App

SECONDS = 8.0
INTERVAL = 0.001
SERVICE = "/tmf_sales/"
ROUTING = "routing, Connexion's layers"
STEPS: Mapping[str, tuple[str, ...]] = {
    "metrics and the request log": ("telemetry/",),
    "response headers, sending": ("http/response_headers", "http/responses", "edge/"),
    "limits, Host, Accept": ("http/middleware", "http/bounds", "http/timeout", "http/transfers", "http/hosts", "http/"),
    ROUTING: ("http/routing", "http/dispatch"),
    "strict parsing": ("http/json_body", "values/json_"),
    "contract validation": ("http/validation", "contract/", "engine/leniency"),
    "query and fields": ("query/",),
    "normalization and defaults": ("engine/normalize", "engine/defaults", "values/"),
    "rules and lifecycle": ("apis/", "engine/lifecycle", "engine/hooks"),
    "patching": ("patch/",),
    "events": ("events/", "storage/memory/events", "storage/sqlite/events"),
    "storage": ("storage/",),
    "engine": ("engine/", "access", "auth/"),
}
"""Step -> how the modules begin whose functions do it; the longest beginning decides."""
_BY_PREFIX = sorted(((prefix, step) for step, all in STEPS.items() for prefix in all), key=lambda each: -len(each[0]))


def step_of(file: str) -> str | None:
    """The step that the functions of a file belong to; None outside the service."""
    if "/connexion/" in file or "/starlette/" in file:
        return ROUTING
    if SERVICE not in file:
        return None
    module = file.rpartition(SERVICE)[2]
    return next((step for prefix, step in _BY_PREFIX if module.startswith(prefix)), None)


class Samples:
    """Counts the steps that run when the timer of processor time fires."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def look(self, _number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if (step := step_of(frame.f_code.co_filename)) is not None:
                self.seen[step] += 1
                return
            frame = frame.f_back

    def __enter__(self) -> None:
        signal.signal(signal.SIGPROF, self.look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)


async def sampled(app: App, requests: Sequence[Sent], seconds: float) -> tuple[Counter[str], float]:
    """Send the requests in turn for some seconds; return what was seen and the microseconds of a request."""
    samples, sent_so_far, began = Samples(), 0, time.process_time()
    with samples:
        for request in itertools.cycle(requests):
            await call(app, request)
            sent_so_far += 1
            if sent_so_far % 50 == 0 and time.process_time() - began > seconds:
                break
    return samples.seen, (time.process_time() - began) / sent_so_far * 1e6


async def main(store: str, seconds: float) -> None:
    app = create_app(Settings(store=store, no_delivery=True))
    columns: dict[str, tuple[Counter[str], float]] = {}
    async with Lifespan(app):
        ids = await stored(app)
        for request in REQUESTS:
            columns[request] = await sampled(app, sent(request, ids), seconds)
    print(f"| microseconds | {' | '.join(columns)} |")
    print(f"|---|{'---:|' * len(columns)}")
    for step in STEPS:
        print(f"| {step} | {' | '.join(_share(seen, step, took) for seen, took in columns.values())} |")
    print(f"| all | {' | '.join(f'{took:.0f}' for _, took in columns.values())} |")


def _share(seen: Counter[str], step: str, took: float) -> str:
    return f"{seen[step] / max(seen.total(), 1) * took:.1f}"


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser(prog="python -m scripts.benchmark.steps", description=__doc__)
    parser.add_argument("store", choices=STORES, nargs="?", default="memory")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    with new_store(given.store) as url:
        uvloop.run(main(url, given.seconds))
