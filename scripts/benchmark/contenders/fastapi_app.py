"""Contender: FastAPI with pydantic over a dictionary, as documented: models for requests and responses.

The models are strict and made at start from the contract's schemas, with the same members, types and bounds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    ValidationError,
    create_model,
)
from scripts.benchmark.contenders.quotes_in_a_dict import BASE_PATH, Quotes, lifespan, schema

SCHEMAS = schema("contract")["components"]["schemas"]
PLAIN = {"integer": int, "number": float, "boolean": bool, "object": dict[str, Any]}
MODELS: dict[str, Any] = {}


class Open(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


def refuse(_: Any) -> None:
    raise ValueError("may not be sent")


def flat(schema: dict[str, Any]) -> dict[str, Any]:
    """Merge the $ref and allOf of a schema; later parts, which restrict members further, override earlier ones."""
    if "$ref" in schema:
        return flat(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    whole: dict[str, Any] = {"properties": {}, "required": []}
    for part in [*map(flat, schema.get("allOf", ())), {k: v for k, v in schema.items() if k != "allOf"}]:
        whole["properties"] |= part.get("properties", {})
        whole["required"] = [*whole["required"], *part.get("required", ())]
        whole |= {name: value for name, value in part.items() if name not in {"properties", "required"}}
    return whole


def type_of(schema: dict[str, Any], place: str) -> Any:
    name = schema["$ref"].rpartition("/")[2] if "$ref" in schema else place
    whole = flat(schema)
    if "not" in whole:
        return Annotated[Any, BeforeValidator(refuse)]
    if whole["properties"]:
        found: Any = model(name, whole)
    elif "enum" in whole:
        found = Literal[tuple(whole["enum"])]
    elif whole.get("type") == "array":
        length = Field(min_length=whole.get("minItems"), max_length=whole.get("maxItems"))
        found = Annotated[list[type_of(whole.get("items", {}), f"{place}Element")], length]
    elif whole.get("format") == "date-time":
        found = Annotated[AwareDatetime, Strict(False)]  # a string in JSON
    elif whole.get("type") == "string":
        length = {"min_length": whole.get("minLength"), "max_length": whole.get("maxLength")}
        found = Annotated[str, StringConstraints(**length, pattern=whole.get("pattern"))]
    else:
        found = PLAIN.get(whole.get("type", ""), Any)
        if "minimum" in whole or "maximum" in whole:
            found = Annotated[found, Field(ge=whole.get("minimum"), le=whole.get("maximum"))]
    return found | None if whole.get("nullable") else found


def model(name: str, whole: dict[str, Any]) -> Any:
    """The model of an object type, or its name while the model is being made, as types can be recursive."""
    if name not in MODELS:
        MODELS[name] = name
        fields = {}
        for number, (member, member_schema) in enumerate(whole["properties"].items()):
            if member_schema.get("readOnly"):
                continue
            kind = type_of(member_schema, f"{name}_{number}")
            required = member in whole["required"]
            fields[f"member{number}"] = (kind, Field(alias=member)) if required else (kind, Field(None, alias=member))
        MODELS[name] = create_model(name, __base__=Open, **fields)
    return MODELS[name]


def top(name: str) -> Any:
    made = model(name, flat(SCHEMAS[name]))
    for each in MODELS.values():
        each.model_rebuild(_types_namespace=MODELS)
    return made


Quote, Create, Update, MergePatch = map(top, ("Quote", "Quote_Create", "Quote_Update", "Quote_MergePatch"))

app = FastAPI(lifespan=lifespan)
quotes = Quotes()
SHOWN = {"response_model_exclude_unset": True}


def sent(body: BaseModel) -> dict[str, Any]:
    return body.model_dump(by_alias=True, exclude_unset=True)


@app.exception_handler(RequestValidationError)
async def bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
    """Respond with the contract's status instead of 422."""
    return JSONResponse({"code": "invalidRequest", "places": [str(each["loc"]) for each in error.errors()]}, 400)


@app.post(f"{BASE_PATH}/quote", status_code=201, response_model=Quote, **SHOWN)
async def create(body: Create, response: Response) -> Any:
    quote = quotes.create(sent(body))
    response.headers["Location"] = quote["href"]
    return quote


@app.get(f"{BASE_PATH}/quote/{{id}}", response_model=Quote, **SHOWN)
async def retrieve(id: str) -> Any:
    try:
        return quotes.get(id)
    except KeyError:
        raise HTTPException(404) from None


@app.get(f"{BASE_PATH}/quote", response_model=list[Quote], **SHOWN)
async def find(
    response: Response,
    limit: Annotated[int, Query(ge=0, le=1000)] = 100,
    external_id: Annotated[str | None, Query(alias="externalId")] = None,
    fields: str = "",
) -> Any:
    page, total = quotes.page(limit) if external_id is None else quotes.find(external_id, limit, fields.split(","))
    response.headers["X-Total-Count"] = str(total)
    response.headers["X-Result-Count"] = str(len(page))
    return page


@app.patch(f"{BASE_PATH}/quote/{{id}}", response_model=Quote, **SHOWN)
async def change(id: str, body: MergePatch) -> Any:
    try:
        merged = quotes.merged(id, sent(body))
    except KeyError:
        raise HTTPException(404) from None
    try:
        Update.model_validate(merged)
    except ValidationError:
        raise HTTPException(409) from None
    quotes.replace(merged)
    return merged
