"""Reads the settings and the files that they name again, on SIGHUP, and puts them into force together.

Guarantee: if anything is invalid, everything stays as it was, and one line is logged. A request never sees a part of a
reload that is half done: each part replaces one reference.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable

from tmf_sales.configuration.names import variable_of
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import CannotStart

PutIntoForce = Callable[[], None]

Prepare = Callable[[Settings], PutIntoForce]
"""Reads what the settings name, in any thread; returns what puts it into force. Raises CannotStart or ValueError."""

RELOADED = frozenset(
    {"api_keys", "policy", "tls_cert", "tls_key", "tls_client_ca", "log_level", "log_format", "of_apis"}
)

log = logging.getLogger("tmf_sales")


class Reloading:
    """What can be reloaded in this process. `load` loads the settings; `started`: those of the start."""

    def __init__(self, load: Callable[[], Settings], started: Settings) -> None:
        self._load = load
        self._started = started
        self._parts: list[Prepare] = []
        self._lock = asyncio.Lock()
        self._tasks = set[asyncio.Task[None]]()

    def add(self, prepare: Prepare) -> None:
        self._parts.append(prepare)

    def reload(self) -> bool:
        """Reload at once, in a process without an event loop; returns whether everything was valid."""
        put_into_force = self._prepared()
        if put_into_force is None:
            return False
        put_into_force()
        return True

    def begin(self) -> None:
        """Reload in the background; a signal handler of the event loop calls this."""
        task = asyncio.ensure_future(self.reload_in_background())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def reload_in_background(self) -> None:
        """Read files in a thread, then put everything into force between two steps of the event loop."""
        async with self._lock:
            put_into_force = await asyncio.to_thread(self._prepared)
            if put_into_force is not None:
                put_into_force()

    def _prepared(self) -> PutIntoForce | None:
        try:
            settings = self._load()
            prepared = [prepare(settings) for prepare in self._parts]
        except (CannotStart, ValueError) as error:
            reason = "; ".join(" ".join(line.split()) for line in str(error).splitlines())
            log.error("the settings are not reloaded: %s", reason)  # noqa: TRY400 - the message is complete
            return None
        except Exception:
            log.exception("the settings are not reloaded")
            return None

        def put_into_force() -> None:
            for each in prepared:
                each()
            log.info("the settings are reloaded")
            if others := self._changed_otherwise(settings):
                log.warning("a reload does not change %s; start the service again", ", ".join(others))

        return put_into_force

    def _changed_otherwise(self, settings: Settings) -> list[str]:
        """The variables of changed settings that are only read at start."""
        names = (field.name for field in dataclasses.fields(settings) if field.name not in RELOADED)
        return [variable_of(name) for name in names if getattr(settings, name) != getattr(self._started, name)]
