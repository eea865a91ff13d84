"""An OpenID Connect issuer for tests of the console: authorization code with PKCE, JWKS, rotating refresh tokens.

It follows RFC 6749, 7636 and 9700: a code is for one use, its verifier must fit the challenge, and a refresh token
that is used twice ends the sign-in.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.identity import AUDIENCE, SCOPES, new_key

CLIENT = "console"


@dataclass(slots=True)
class Issuer:
    """Signs people in as `name`.

    `lifetime`: seconds for which access tokens are valid; `announced`: what it says instead of that.
    `renews`: whether it takes refresh tokens.
    """

    url: str = ""
    name: str = "Sam Seller"
    roles: tuple[str, ...] = ("sales",)
    lifetime: int = 600
    announced: int | None = None
    renews: bool = True
    grants: list[str] = field(default_factory=list)  # of each token request that succeeded
    rejected: list[str] = field(default_factory=list)  # why the other token requests failed
    key: RSAKey = field(default_factory=lambda: new_key("one"))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environ(self) -> dict[str, str]:
        """The settings of a service whose console signs people in here."""
        return {
            "TMF_SALES_JWT_ISSUER": self.url,
            "TMF_SALES_JWT_AUDIENCE": AUDIENCE,
            "TMF_SALES_JWT_KEYS": f"{self.url}/jwks",
            "TMF_SALES_JWT_LEEWAY": "0",
            "TMF_SALES_CONSOLE_CLIENT_ID": CLIENT,
        }

    def discovery(self) -> dict[str, str]:
        endpoints = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        return {"issuer": self.url, **{name: self.url + path for name, path in endpoints.items()}}

    def page(self, query: dict[str, str]) -> str:
        """The page where people agree; its links lead back to the console."""
        wanted = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        assert wanted.items() <= query.items(), query
        code = secrets.token_urlsafe()
        self.codes[code] = query
        back = query["redirect_uri"]
        answers = {
            "Agree": {"code": code, "state": query["state"]},
            "Deny": {"error": "access_denied", "error_description": "You did not agree", "state": query["state"]},
            "Another state": {"code": code, "state": "of-an-attacker"},
            "Another code": {"code": "of-an-attacker", "state": query["state"]},
        }
        links = (f"<a href='{escape(f'{back}?{urlencode(each)}')}'>{name}</a>" for name, each in answers.items())
        return f"<!doctype html><title>Issuer</title><link rel=icon href='data:,'><main>{' '.join(links)}</main>"

    def tokens(self, form: dict[str, str]) -> dict[str, object]:
        """The answer to a token request; ValueError when it has to fail."""
        with self.lock:
            if form["grant_type"] == "refresh_token":
                self._use_refresh_token(form["refresh_token"])
            else:
                self._use_code(form)
            self.grants.append(form["grant_type"])
            refresh_token = secrets.token_urlsafe()
            self.refresh_tokens.add(refresh_token)
        now = int(time.time())
        who = {"iss": self.url, "sub": "sam", "exp": now + self.lifetime}
        rights = {"aud": AUDIENCE, "scope": SCOPES, "realm_access": {"roles": self.roles}, "jti": secrets.token_hex()}
        return {
            "token_type": "Bearer",
            "expires_in": self.lifetime if self.announced is None else self.announced,
            "refresh_token": refresh_token,
            "access_token": self._signed(who | rights),
            "id_token": self._signed(who | {"aud": CLIENT, "name": self.name}),
        }

    def _use_code(self, form: dict[str, str]) -> None:
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None:
            raise ValueError("The code is unknown or used")
        if challenge != asked["code_challenge"]:
            raise ValueError("The verifier does not fit the challenge")
        if any(form[name] != asked[name] for name in ("client_id", "redirect_uri")):
            raise ValueError("The code is another client's")

    def _use_refresh_token(self, token: str) -> None:
        if not self.renews or token not in self.refresh_tokens:
            self.refresh_tokens.clear()
            raise ValueError("The refresh token is unknown or used")
        self.refresh_tokens.remove(token)

    def _signed(self, claims: dict[str, object]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key, algorithms=["RS256"])


@contextmanager
def oidc_issuer() -> Iterator[Issuer]:
    """An issuer that answers until the context ends."""
    issuer = Issuer()

    class Reception(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
            match path:
                case "/.well-known/openid-configuration":
                    self.answer(200, json.dumps(issuer.discovery()))
                case "/jwks":
                    self.answer(200, json.dumps({"keys": [issuer.key.as_dict(private=False)]}))
                case "/authorize":
                    self.answer(200, issuer.page(query), "text/html")
                case _:
                    self.answer(404, "{}")

        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            try:
                self.answer(200, json.dumps(issuer.tokens(form)))
            except ValueError as reason:
                issuer.rejected.append(str(reason))
                self.answer(400, json.dumps({"error": "invalid_grant", "error_description": str(reason)}))

        def answer(self, status: int, text: str, media_type: str = "application/json") -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Reception)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
