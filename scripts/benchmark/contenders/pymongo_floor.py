"""Contender "floor" on MongoDB: Starlette, jsonschema-rs, orjson and pymongo, with compare-and-set and nothing else.

No rules, no ETag, no events; but its writes are as durable as the service's: write concern majority, in the journal.
"""

from __future__ import annotations

import os
from typing import Any

import jsonschema_rs
import orjson
from pymongo import AsyncMongoClient
from scripts.benchmark.contenders.quotes_in_a_dict import BASE_PATH, Quotes, lifespan, merge, schema
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MOST = 1000
client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
    os.environ.get("BENCH_MONGODB", "mongodb://127.0.0.1/bench"), w="majority", journal=True, timeoutMS=60000
)
quotes = client.get_default_database("bench")["floor"]
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
    quote = Quotes().create(body)
    await quotes.insert_one({"_id": quote["id"], "revision": 1, "document": quote})
    return answer(201, quote, {"location": quote["href"]})


async def retrieve(request: Request) -> Response:
    found = await quotes.find_one({"_id": request.path_params["id"]})
    return answer(404, {"code": "notFound"}) if found is None else answer(200, found["document"])


async def find(request: Request) -> Response:
    query = request.query_params
    try:
        limit = int(query.get("limit", 100))
    except ValueError:
        limit = -1
    if not 0 <= limit <= MOST:
        return answer(400, {"code": "invalidQuery"})
    where: dict[str, Any] = {}
    members: dict[str, int] = {"document": 1}
    if "externalId" in query:
        where = {"document.externalId": query["externalId"]}
        members = {f"document.{name}": 1 for name in ("id", "href", *query["fields"].split(","))}
    page = [each["document"] async for each in quotes.find(where, members, sort=[("_id", 1)], limit=limit)]
    total = await quotes.count_documents(where)
    return answer(200, page, {"x-total-count": str(total), "x-result-count": str(len(page))})


async def change(request: Request) -> Response:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return answer(400, {"code": "invalidJson"})
    if not patch.is_valid(body):
        return answer(400, {"code": "invalidBody"})
    while True:
        found = await quotes.find_one({"_id": request.path_params["id"]})
        if found is None:
            return answer(404, {"code": "notFound"})
        merged = merge(found["document"], body)
        if not update.is_valid(merged):
            return answer(409, {"code": "patchResultRefused"})
        expected = {"_id": found["_id"], "revision": found["revision"]}
        changed = {"$set": {"revision": found["revision"] + 1, "document": merged}}
        if (await quotes.update_one(expected, changed)).matched_count:
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
