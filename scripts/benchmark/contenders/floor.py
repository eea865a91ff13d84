"""Contender "floor": Starlette, jsonschema-rs, orjson and a dictionary, with only the code that the responses need."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import orjson
from scripts.benchmark.contenders.quotes_in_a_dict import BASE_PATH, Quotes, lifespan, schema
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MOST = 1000
quotes = Quotes()
creation, patch, update = (
    jsonschema_rs.Draft4Validator(schema(name), validate_formats=True) for name in ("create", "merge", "update")
)


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json")


async def create(request: Request) -> Response:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return answer(400, {"code": "invalidJson"})
    if not creation.is_valid(body):
        return answer(400, {"code": "invalidBody"})
    quote = quotes.create(body)
    return answer(201, quote, {"location": quote["href"]})


async def retrieve(request: Request) -> Response:
    try:
        return answer(200, quotes.get(request.path_params["id"]))
    except KeyError:
        return answer(404, {"code": "notFound"})


async def find(request: Request) -> Response:
    query = request.query_params
    try:
        limit = int(query.get("limit", 100))
    except ValueError:
        limit = -1
    if not 0 <= limit <= MOST:
        return answer(400, {"code": "invalidQuery"})
    if "externalId" in query:
        page, total = quotes.find(query["externalId"], limit, query["fields"].split(","))
    else:
        page, total = quotes.page(limit)
    return answer(200, page, {"x-total-count": str(total), "x-result-count": str(len(page))})


async def change(request: Request) -> Response:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return answer(400, {"code": "invalidJson"})
    if not patch.is_valid(body):
        return answer(400, {"code": "invalidBody"})
    try:
        merged = quotes.merged(request.path_params["id"], body)
    except KeyError:
        return answer(404, {"code": "notFound"})
    if not update.is_valid(merged):
        return answer(409, {"code": "patchResultRefused"})
    quotes.replace(merged)
    return answer(200, merged)


app = Starlette(
    routes=[
        Route(f"{BASE_PATH}/quote", find, methods=["GET"]),
        Route(f"{BASE_PATH}/quote", create, methods=["POST"]),
        Route(f"{BASE_PATH}/quote/{{id}}", retrieve, methods=["GET"]),
        Route(f"{BASE_PATH}/quote/{{id}}", change, methods=["PATCH"]),
    ],
    lifespan=lifespan,
)
