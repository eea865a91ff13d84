"""Moves long work on JSON off the event loop, so that other requests are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

LONG_WORK = 128 * 1024  # bytes of JSON that are worked on; more take 3 ms or longer

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")


async def run_work(
    size: int, work: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> _Result:
    """Call `work`, in a thread when it is about more than LONG_WORK bytes."""
    if size <= LONG_WORK:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
