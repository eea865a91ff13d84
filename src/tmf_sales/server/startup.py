"""Reports in one line why the service cannot start, even when only opening the store reveals it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tmf_sales.errors import CannotStart

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
UVICORN_ADDS = "Application startup failed. Exiting."
App = Callable[[Message, Receive, Send], Awaitable[None]]


def report_startup_errors(app: App) -> App:
    """Wrap the application: when its start raises CannotStart, the server gets the message instead of a traceback."""

    async def start(scope: Message, receive: Receive, send: Send) -> None:
        failed: list[Message] = []

        async def hold_back_failure(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                failed.append(message)
            else:
                await send(message)

        try:
            await app(scope, receive, hold_back_failure)
        except CannotStart as error:
            logging.getLogger("uvicorn.error").addFilter(lambda record: record.msg != UVICORN_ADDS)
            await send({"type": "lifespan.startup.failed", "message": f"Error: {error}"})
        except BaseException:
            for message in failed:
                await send(message)
            raise

    def choose(scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        # Not a coroutine function, so that requests do not pay for another coroutine.
        return (start if scope["type"] == "lifespan" else app)(scope, receive, send)

    return choose
