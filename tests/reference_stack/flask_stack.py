"""The reference stack: the service's handlers under stock Connexion FlaskApp, with Connexion's own request validation.

Nothing of Connexion is replaced here, so every other response of the service comes from its own validation;
test_oracle.py explains each such difference. The stack is slow, has no authentication, and serves comparison only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from threading import Thread
from typing import Any, TypeVar

import flask
from connexion import FlaskApp

from tmf_sales.app.asgi import validation_settings
from tmf_sales.app.composition import compose
from tmf_sales.app.gate import gate
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.loader import Contract
from tmf_sales.engine.request import Handler, Request, Response
from tmf_sales.errors import TmfError
from tmf_sales.http.dispatch import Handlers
from tmf_sales.http.middleware import App
from tmf_sales.http.responses import error_handlers
from tmf_sales.http.validation import WITH_BODY, ValidationSettings

T = TypeVar("T")

# They warn of each media type with a schema of its own, and of query parameters that are open-ended filters.
_TALKATIVE = ("connexion.operations.openapi", "connexion.decorators.parameter", "connexion.middleware.exceptions")


def create_flask_app(settings: Settings, **parts: Any) -> App:
    """The reference as an application; `parts` as for compose, which says what it raises."""
    service = compose(settings, **parts)
    stock = flask_app(service.apis, service.handlers, validation_settings(service), service.lifespan)
    return gate(stock, service)


def flask_app(
    apis: tuple[Contract, ...],
    handlers: Mapping[str, Handlers],
    settings: ValidationSettings,
    lifespan: Callable[[], AbstractAsyncContextManager[None]],
) -> App:
    """Stock Connexion over the handlers (base path of an API -> operationId -> handler)."""
    background = BackgroundLoop()
    app = FlaskApp(__name__, lifespan=lambda _: background.during(lifespan()))
    for api in apis:
        views = {
            operation_id: view_of(operation_id, handler, settings, background)
            for operation_id, handler in handlers[api.base_path].items()
        }
        app.add_api(api.document, base_path=api.base_path, name=api.name, resolver=views.__getitem__)
    (_, answer), *_ = handled = error_handlers(apis)
    for kind, handler in [*handled, (TmfError, answer)]:
        app.add_error_handler(kind, handler)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stock: App = app
    return stock


def view_of(
    operation_id: str, handler: Handler, settings: ValidationSettings, background: BackgroundLoop
) -> Callable[..., flask.Response]:
    """A plain function, which Connexion's resolver needs for each operation."""

    def view(id: str = "") -> flask.Response:
        request = request_of(operation_id, {"id": id}, settings)
        return response_of(background.run(_response_text(handler, request)))

    return view


async def _response_text(handler: Handler, request: Request) -> Response:
    return await handler(request)


def request_of(operation_id: str, path_parameters: Mapping[str, str], settings: ValidationSettings) -> Request:
    """The request in the form of the handlers, from what Flask has parsed."""
    asked = flask.request
    headers = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in asked.headers.items()}
    request = Request(
        operation_id=operation_id,
        method=asked.method,
        path_parameters=path_parameters,
        raw_query=asked.environ["QUERY_STRING"],
        headers=headers,
        public_url=settings.public_base.of(asked.environ["asgi.scope"]),
        correlation_id=asked.headers.get("X-Correlation-ID") or settings.new_id(),
    )
    if asked.method.lower() in WITH_BODY:
        request.media_type = asked.mimetype
        request.body = flask.json.loads(asked.get_data())
    return request


def response_of(result: Response) -> flask.Response:
    response = flask.Response(result.body, result.status, mimetype="application/json")
    if not result.body:
        del response.headers["Content-Type"]
    for name, value in result.headers:
        response.headers.add(name.decode("latin-1"), value.decode("latin-1"))
    return response


class BackgroundLoop:
    """One event loop in a thread of its own, where the store and the handlers live while Flask's threads wait."""

    _loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait, in a thread that has no loop, until the work is done; raises what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @contextlib.asynccontextmanager
    async def during(self, lifespan: AbstractAsyncContextManager[None]) -> AsyncIterator[None]:
        """Run the loop, and in it the whole lifespan as one task, for as long as the application runs."""
        self._loop = asyncio.new_event_loop()  # in the process that answers, a fork of the one that started
        thread = Thread(target=self._loop.run_forever, name="handlers", daemon=True)
        thread.start()
        started: Future[None] = Future()
        over = asyncio.Event()
        life = asyncio.run_coroutine_threadsafe(_live(lifespan, started, over), self._loop)
        try:
            await asyncio.wrap_future(started)
            yield
            self._loop.call_soon_threadsafe(over.set)
            await asyncio.wrap_future(life)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()


async def _live(lifespan: AbstractAsyncContextManager[None], started: Future[None], over: asyncio.Event) -> None:
    try:
        async with lifespan:
            started.set_result(None)
            await over.wait()
    except BaseException as error:
        if not started.done():
            started.set_exception(error)
        raise
