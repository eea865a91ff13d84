"""The JSON samples that the two specifications print, byte for byte, misprints included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).with_name("samples")


def text(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes()


def read(name: str) -> Any:
    return orjson.loads(text(name))
