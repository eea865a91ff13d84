"""Cross-origin requests (CORS): lets web pages of the configured origins call the service from a browser.

Guarantee: without configured origins the application is returned unchanged, so requests pay nothing. Preflight requests
are answered before authentication, as browsers send them without credentials. Cookies are never allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response

from tmf_sales.errors import Forbidden
from tmf_sales.http.middleware import App
from tmf_sales.http.negotiation import PROBLEM, prefers_problem
from tmf_sales.values.messages import shown

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST")
EXPOSED = (
    "Accept-Patch",
    "Allow",
    "Content-Range",
    "Deprecation",
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Sunset",
    "X-Correlation-ID",
    "X-Request-ID",
    "X-Result-Count",
    "X-Total-Count",
    "X-Total-Count-At-Least",
)
PREFLIGHT_LIFETIME = 7200  # seconds; Chrome keeps the answer no longer


class CrossOriginRequests(CORSMiddleware):
    """Starlette's middleware, whose rejection of a preflight request is a TMF Error."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        if response.status_code == 200:
            return Response(status_code=204, headers=headers)
        error = Forbidden(
            f"Origin {shown(request_headers['origin'])} with Access-Control-Request-Method "
            f"{shown(request_headers['access-control-request-method'])}; expected an origin in TMF_SALES_CORS_ORIGINS "
            f"and one of {', '.join(METHODS)}"
        )
        if prefers_problem(request_headers.raw):
            return JSONResponse(error.problem(), int(error.status), headers, PROBLEM)
        return JSONResponse(error.body(), int(error.status), headers)


def allow_origins(app: App, origins: Sequence[str]) -> App:
    """Answer preflight requests of these origins, and add the CORS headers to every response."""
    if not origins:
        return app
    middleware = CrossOriginRequests(
        app,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=("*",),  # the service ignores headers that it does not know
        expose_headers=EXPOSED,
        max_age=PREFLIGHT_LIFETIME,
    )
    return cast("App", middleware)
