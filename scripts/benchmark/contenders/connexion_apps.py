"""Contender: stock Connexion over a dictionary, as documented, with the contract, plain functions and its validation.

The result of a merge patch is validated with the library that Connexion uses for validation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import connexion
import jsonschema  # type: ignore[import-untyped]
from connexion.json_schema import resolve_refs
from scripts.benchmark.contenders.quotes_in_a_dict import BASE_PATH, Document, Quotes, lifespan, schema

Answer = tuple[Any, int, dict[str, str]]

JSON = {
    "Content-Type": "application/json"
}  # the contract also has application/problem+json, and stock Connexion asks which

quotes = Quotes()
update = jsonschema.Draft4Validator(  # with $refs resolved in advance, as Connexion does for bodies
    resolve_refs(schema("update")), format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
)


def create(body: Document) -> Answer:
    quote = quotes.create(body)
    return quote, 201, {**JSON, "Location": quote["href"]}


def retrieve(id: str) -> Answer:
    try:
        return quotes.get(id), 200, JSON
    except KeyError:
        return {"code": "notFound"}, 404, JSON


def find(limit: int = 100, fields: str = "") -> Answer:
    external_id = connexion.request.query_params.get("externalId")
    page, total = quotes.page(limit) if external_id is None else quotes.find(external_id, limit, fields.split(","))
    return page, 200, {**JSON, "X-Total-Count": str(total), "X-Result-Count": str(len(page))}


def change(id: str, body: Document) -> Answer:
    try:
        quote = quotes.merged(id, body)
    except KeyError:
        return {"code": "notFound"}, 404, JSON
    if not update.is_valid(quote):
        return {"code": "patchResultRefused"}, 409, JSON
    quotes.replace(quote)
    return quote, 200, JSON


async def create_soon(body: Document) -> Answer:
    return create(body)


async def retrieve_soon(id: str) -> Answer:
    return retrieve(id)


async def find_soon(limit: int = 100, fields: str = "") -> Answer:
    return find(limit, fields)


async def change_soon(id: str, body: Document) -> Answer:
    return change(id, body)


def absent() -> Answer:
    return {"code": "notImplemented"}, 501, JSON


BLOCKING: dict[str, Callable[..., Any]] = {
    "createQuote": create,
    "retrieveQuote": retrieve,
    "listQuote": find,
    "patchQuote": change,
}
ASYNC: dict[str, Callable[..., Any]] = {
    "createQuote": create_soon,
    "retrieveQuote": retrieve_soon,
    "listQuote": find_soon,
    "patchQuote": change_soon,
}


def served(app: Any, functions: dict[str, Callable[..., Any]]) -> Any:
    for name in ("connexion.operations.openapi", "connexion.decorators.parameter"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # it warns about each media type with its own schema
    app.add_api(schema("contract"), base_path=BASE_PATH, resolver=lambda name: functions.get(name, absent))
    return app


def flask_app() -> Any:
    return served(connexion.FlaskApp(__name__, lifespan=lifespan), BLOCKING)


def async_app() -> Any:
    return served(connexion.AsyncApp(__name__, lifespan=lifespan), ASYNC)
