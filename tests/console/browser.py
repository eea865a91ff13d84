"""A headless Chromium, driven over its DevTools pipe; for tests that look at pages as people do."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 120.0  # seconds for all that one browser is asked to do; then its end fails the test
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)

# Chromium reads commands from descriptor 3 and writes answers to 4.
WITH_PIPE = """
import fcntl, os, sys
for end, wanted in [(fcntl.fcntl(int(sys.argv[at]), fcntl.F_DUPFD, 10), at + 2) for at in (1, 2)]:
    os.dup2(end, wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page:
    """One tab. `complaints`: what the browser's console said of errors, with the page's own exceptions."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO, numbers: Iterator[int]) -> None:
        self._commands = commands
        self._answers = answers
        self._numbers = numbers
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    @property
    def complaints(self) -> list[str]:
        found = []
        for event in self._events:
            match event["method"]:
                case "Log.entryAdded" if event["params"]["entry"]["level"] in {"error", "warning"}:
                    found.append(event["params"]["entry"]["text"])
                case "Runtime.exceptionThrown":
                    found.append(event["params"]["exceptionDetails"]["text"])
                case "Runtime.consoleAPICalled" if event["params"]["type"] == "error":
                    found.append(str(event["params"]["args"]))
        return found

    @property
    def requested(self) -> list[str]:
        """The URL of everything that the page fetched."""
        return [
            event["params"]["request"]["url"]
            for event in self._events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def open(self, url: str, width: int, height: int = 900) -> None:
        self._events.clear()
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.follow(lambda: self.send("Page.navigate", url=url))

    def follow(self, leave: Callable[[], object]) -> None:
        """Do what leads to another page, and return when that page has loaded."""
        before = self._loads
        leave()
        while self._loads == before:
            self._note(self._read())

    @property
    def _loads(self) -> int:
        return sum(event["method"] == "Page.loadEventFired" for event in self._events)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited when it is a promise."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def send(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        """Keep what happened in this tab; older tabs may still have something to say."""
        if event.get("sessionId") == self._session and "method" in event:
            self._events.append(event)

    def _read(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser is gone"
            text += byte
        message: dict[str, Any] = json.loads(text)
        return message


@contextmanager
def browser(patience: float = PATIENCE) -> Iterator[Callable[[], Page]]:
    """What opens a new tab of a browser that ends with the context."""
    read_commands, write_commands = os.pipe()
    read_answers, write_answers = os.pipe()
    profile = tempfile.mkdtemp(prefix="chromium-")
    ends = (read_commands, write_answers)
    process = subprocess.Popen(
        [sys.executable, "-c", WITH_PIPE, *map(str, ends), str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=ends,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that the processes that it starts end with it
    )
    watchdog = threading.Timer(patience, os.killpg, (process.pid, signal.SIGKILL))
    watchdog.start()
    os.close(read_commands)
    os.close(write_answers)
    try:
        with open(write_commands, "wb") as commands, open(read_answers, "rb") as answers:  # noqa: PTH123 - descriptors
            yield partial(Page, commands, answers, count(1))
    finally:
        watchdog.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(Path(profile), ignore_errors=True)
