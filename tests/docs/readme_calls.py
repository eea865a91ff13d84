"""The calls that the README shows: read out of it, made, and compared with what it says they answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

README = Path(__file__).parents[2] / "README.md"
SHOWN_ADDRESS = "http://127.0.0.1:8080"

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_CHANGES = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"^date: .*$", re.MULTILINE), "date: DATE"),
    (re.compile(r"checks in [0-9.]+ s$", re.MULTILINE), "checks in SECONDS s"),
    (re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"), "TIME"),
]


class Call(NamedTuple):
    command: str
    answer: str


def shown_calls(readme: str) -> Iterator[Call]:
    for block in _BLOCK.finditer(readme):
        for call in _CALL.finditer(block[1]):
            yield Call(call[1], call[2])


def made(call: Call, address: str) -> str:
    """What the command prints when it is run in a shell against the service at `address`, as the README shows it."""
    command = call.command.replace(SHOWN_ADDRESS, address)
    # `tmf-sales` is the one of this environment.
    environ = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", command], env=environ, capture_output=True, text=True, check=True, timeout=120)
    printed = done.stdout
    return printed.replace("\r", "").replace(address, SHOWN_ADDRESS).rstrip("\n") + "\n"


def comparable(answer: str) -> str:
    """An answer without what differs from one time to the next."""
    for pattern, name in _CHANGES:
        answer = pattern.sub(name, answer)
    return re.sub(r"^content-length: .*$", "content-length: N", answer, flags=re.MULTILINE).rstrip("\n")
