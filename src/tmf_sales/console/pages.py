"""Serves the index of the APIs and the diagrams of their lifecycles: a small Flask app.

The pages are made from the contracts alone. They run no script, fetch nothing from other hosts and never touch the
store. Their links begin with the path of the public URL. An unknown path gets a TMF Error.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

import tmf_sales
from tmf_sales import errors
from tmf_sales.console.calls import Call, calls_of
from tmf_sales.console.lifecycles import LifecycleDrawing, lifecycles_of
from tmf_sales.console.paths import INDEX, LIFECYCLE
from tmf_sales.console.static_page import KNOWN_BASES
from tmf_sales.http.public_base import PublicBase


class Described(Protocol):
    """The parts of a contract that the pages use."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def base_path(self) -> str: ...
    @property
    def document(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Api:
    """One API as the index shows it."""

    name: str
    title: str
    version: str
    file: str
    base_path: str
    about: str
    lifecycles: tuple[LifecycleDrawing, ...]
    calls: tuple[Call, ...]


def create_console(contracts: Sequence[Described], public_base: PublicBase) -> Flask:
    """Create the app; example calls and links begin with the public URL of the request."""
    app = Flask(__name__, static_folder=None)
    app.jinja_env.autoescape = True  # Flask escapes by file name and would skip these templates
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    lifecycles = {contract.name: tuple(lifecycles_of(contract.document)) for contract in contracts}
    drawings = {(name, drawing.schema): drawing for name, drawn in lifecycles.items() for drawing in drawn}
    style, drawing_style = (
        files(__package__).joinpath("templates", name).read_text() for name in ("page.css", "svg.css")
    )

    @lru_cache(maxsize=KNOWN_BASES)
    def apis_at(base: str) -> list[Api]:
        return [_api(contract, base, lifecycles[contract.name]) for contract in contracts]

    @app.get(INDEX)
    def index() -> Response:
        base = public_base.of(request.environ.get("asgi.scope", {"headers": ()}))
        page = render_template(
            "index.html.jinja",
            apis=apis_at(base),
            style=style + drawing_style,
            version=tmf_sales.__version__,
            base=base,
            prefix=urlsplit(base).path,
        )
        return _guarded(Response(page, mimetype="text/html"), style + drawing_style)

    @app.get(LIFECYCLE)
    def lifecycle(api: str, schema: str) -> Response:
        if (api, schema) not in drawings:
            raise NotFound
        drawing = render_template("lifecycle.svg.jinja", drawing=drawings[api, schema], style=drawing_style, alone=True)
        return _guarded(Response(drawing, mimetype="image/svg+xml"), drawing_style)

    app.register_error_handler(HTTPException, _reject)
    app.register_error_handler(Exception, partial(_error, errors.InternalError("The page could not be made")))
    return app


def _api(contract: Described, public_base: str, lifecycles: tuple[LifecycleDrawing, ...]) -> Api:
    about = contract.document["info"].get("description", "").strip()
    return Api(
        name=contract.name,
        title=contract.title,
        version=contract.version,
        file=contract.file,
        base_path=contract.base_path,
        about=about.partition("\n\n")[0],
        lifecycles=lifecycles,
        calls=tuple(calls_of(contract.document, public_base + contract.base_path)),
    )


def _guarded(page: Response, style: str) -> Response:
    """Add headers that let the browser apply the page's own style and load nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    page.headers["X-Content-Type-Options"] = "nosniff"
    page.headers["Referrer-Policy"] = "no-referrer"
    page.headers["Cache-Control"] = "no-cache"
    return page


def _reject(problem: Exception) -> Response:
    if isinstance(problem, MethodNotAllowed):
        allowed = ", ".join(sorted(problem.valid_methods or ()))
        return _error(errors.MethodNotAllowed(f"This page has only {allowed}", {"Allow": allowed}), problem)
    return _error(errors.NoSuchRoute("See / for what is served"), problem)


def _error(error: errors.TmfError, _problem: Exception) -> Response:
    answer = jsonify(error.body())
    answer.status_code = error.status
    answer.headers.update(error.headers)
    return answer
