"""Serves the console at /console: a client of the public API that runs in the browser, from files in this package.

Guarantee: the pages load nothing from other hosts and run no inline script. Files have a digest of all files in their
path, so browsers keep them until another version is served. README.md in this folder says how to add a screen.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any
from urllib.parse import urlsplit

import orjson

import tmf_sales
from tmf_sales.console.static_page import page_with_links, static_page
from tmf_sales.contract.loader import Contract
from tmf_sales.errors import NoSuchRoute
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.public_base import PublicBase
from tmf_sales.http.responses import Send, send_error

PATH = "/console"
MEDIA_TYPES = {
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml",
}
KEPT = [(b"cache-control", b"public, max-age=31536000, immutable"), (b"x-content-type-options", b"nosniff")]
FIRST_SCRIPTS = ("main.js", "lib/", "vendor/", "parts/", "screens/home")


@dataclass(frozen=True, slots=True)
class SignIn:
    """How people sign in. `client_id`: this console's client at the issuer; without it there is no OIDC sign-in."""

    required: bool
    issuer: str | None = None
    client_id: str | None = None


def console(apis: Sequence[Contract], sign_in: SignIn, public_base: PublicBase) -> App:
    """Create the application of everything at and below /console."""
    sources, headers = read_sources(), page_headers(sign_in)
    digest = digest_of(sources)
    static = f"{PATH}/static/{digest}/"
    pages = {
        f"{static}{name}": static_page(MEDIA_TYPES[name[name.rindex(".") :]], partial(bytes, content), KEPT)
        for name, content in sources.items()
    }

    def described(base: str) -> bytes:
        return orjson.dumps(description(apis, sign_in, urlsplit(base).path))

    def started(base: str) -> bytes:
        return start_page(urlsplit(base).path, digest, sources)

    pages[f"{PATH}/console.json"] = page_with_links(b"application/json", described, headers, public_base)
    start = page_with_links(b"text/html; charset=utf-8", started, headers, public_base)

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith(f"{PATH}/static/") and path not in pages:
            await send_error(send, NoSuchRoute("The console has no such file, or not in this version"), scope)
            return
        await pages.get(path, start)(scope, receive, send)  # every other path is a screen, which the browser draws

    return page


def read_sources() -> dict[str, bytes]:
    """The console's files by their path in this package."""
    return dict(sorted(_below(files(__name__), "")))


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(tuple(MEDIA_TYPES)):
            yield f"{path}{entry.name}", entry.read_bytes()


def digest_of(sources: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sources.items():
        digest.update(b"%b %d " % (name.encode(), len(content)) + content)
    return digest.hexdigest()[:16]


def page_headers(sign_in: SignIn) -> list[tuple[bytes, bytes]]:
    """The headers of the page: it runs this package's scripts, and asks this service and the issuer alone."""
    asked = " ".join(("'self'", *issuer_origins(sign_in)))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src {asked}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-cache"),
    ]


def issuer_origins(sign_in: SignIn) -> tuple[str, ...]:
    """The origin that is asked for tokens, if there is one."""
    if not (sign_in.issuer and sign_in.client_id):
        return ()
    url = urlsplit(sign_in.issuer)
    return (f"{url.scheme}://{url.netloc}",)


def description(apis: Sequence[Contract], sign_in: SignIn, prefix: str) -> dict[str, Any]:
    """What the console needs to know before it reads the contracts."""
    return {
        "version": tmf_sales.__version__,
        "prefix": prefix,
        "apis": [
            {
                "name": api.name,
                "title": api.title,
                "version": api.version,
                "basePath": f"{prefix}{api.base_path}",
                "contract": f"{prefix}{api.base_path}/openapi.json",
            }
            for api in apis
        ],
        "signIn": {"required": sign_in.required, "issuer": sign_in.issuer, "clientId": sign_in.client_id},
    }


@functools.cache
def _template() -> str:
    return files(__name__).joinpath("start.html").read_text(encoding="utf-8")


def start_page(prefix: str, digest: str, sources: Mapping[str, bytes]) -> bytes:
    """The page that starts the console; it names the scripts that every screen needs, so that they load at once."""
    base = escape(f"{prefix}{PATH}")
    scripts = [name for name in sources if name.startswith(FIRST_SCRIPTS)]
    links = "\n".join(f'<link rel="modulepreload" href="{base}/static/{digest}/{name}">' for name in scripts)
    filled = _template().replace("{base}", base).replace("{static}", f"{base}/static/{digest}")
    return filled.replace("{modules}", links).encode()
