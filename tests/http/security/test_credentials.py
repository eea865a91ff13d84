"""Who gets in: tokens as attackers make them, API keys, scopes, limits (RFC 6750, RFC 8725)."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from tests.api import Api, refusal
from tests.http.conftest import QUOTES, SALES, Services
from tests.http.resources import unique_text
from tests.identity import API_KEY, AUDIENCE, ISSUER, SCOPES, Provider, bearer, new_key


@pytest.fixture(scope="module")
def guarded(services: Services, provider: Provider) -> Api:
    return services.api(services.on("memory", **provider.environ), QUOTES)


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed_with_the_public_key(provider: Provider) -> str:
    """HS256 with what everybody knows as the secret: works where the header chooses how the key is used."""
    claims = json.loads(base64.urlsafe_b64decode(provider.token("admin").split(".")[1] + "=="))
    head = f"{part({'alg': 'HS256', 'kid': 'one', 'typ': 'JWT'})}.{part(claims)}"
    secret = provider.key.as_pem(private=False)
    return f"{head}.{part(hmac.new(secret, head.encode(), 'sha256').digest())}"


def unsigned(provider: Provider, algorithm: str) -> str:
    _, claims, _ = provider.token("admin").split(".")
    return f"{part({'alg': algorithm, 'kid': 'one'})}.{claims}."


def with_changed_claims(provider: Provider) -> str:
    head, claims, signature = provider.token("reader").split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"realm_access": {"roles": ["admin"]}}
    return f"{head}.{part(changed)}.{signature}"


def with_a_critical_header(provider: Provider) -> str:
    claims = provider.token("admin").split(".")[1]
    head = f"{part({'alg': 'RS256', 'kid': 'one', 'crit': ['must'], 'must': 1})}.{claims}"
    private = provider.key.private_key
    assert private is not None
    return f"{head}.{part(private.sign(head.encode(), PKCS1v15(), SHA256()))}"


def attacks(provider: Provider) -> dict[str, str]:
    now, stranger = int(time.time()), new_key("one")
    return {
        "no algorithm": unsigned(provider, "none"),
        "no algorithm, written otherwise": unsigned(provider, "nOnE"),
        "the public key as a secret": signed_with_the_public_key(provider),
        "another key of the same name": provider.token("admin", key=stranger),
        "a key that it brings along": provider.token("admin", key=stranger, header={"jwk": stranger.as_dict()}),
        "a key that nobody knows": provider.token("admin", header={"kid": "../../etc/passwd"}),
        "an algorithm that is not in the list": provider.token("admin", header={"alg": "RS512"}),
        "a critical header that nobody understands": with_a_critical_header(provider),
        "changed claims": with_changed_claims(provider),
        "another issuer": provider.token("admin", iss="https://evil.example.com"),
        "an issuer that begins alike": provider.token("admin", iss=ISSUER + ".evil.example.com"),
        "no issuer": provider.token("admin", iss=None),
        "another audience": provider.token("admin", aud="somebody else"),
        "other audiences": provider.token("admin", aud=["a", "b"]),
        "no audience": provider.token("admin", aud=None),
        "expired": provider.token("admin", exp=now - 120),
        "without end": provider.token("admin", exp=None),
        "an end that is no number": provider.token("admin", exp="tomorrow"),
        "an endless end": provider.token("admin", exp=float("inf")),
        "not yet": provider.token("admin", nbf=now + 120),
        "no subject": provider.token("admin", sub=None),
        "a subject that is no text": provider.token("admin", sub=["admin"]),
        "the subject of an API key": provider.token("admin", sub="api-key:billing"),
        "an identity token of another type": provider.token("admin", header={"typ": "logout+jwt"}),
        "huge": provider.token("admin", more="x" * 20_000),
        "deep": f"{part({'alg': 'RS256', 'kid': 'one'})}.{part(b'[' * 10_000)}.{part(b'x')}",
        "encrypted": "a.b.c.d.e",
        "no token": "hello",
    }


def test_a_token_that_is_good_is_let_in(guarded: Api, provider: Provider) -> None:
    now = int(time.time())
    for token in (
        provider.token("reader"),
        provider.token("reader", aud=["x", AUDIENCE]),
        provider.token("reader", exp=now - 10, nbf=now + 10),
        provider.token("reader", header={"typ": "at+jwt"}),
        provider.token("reader", scope=None, scp=SCOPES.split()),
    ):
        assert guarded.get("/quote", bearer(token)).status_code == 200


def test_every_attack_is_rejected_with_a_challenge(guarded: Api, provider: Provider) -> None:
    for name, token in attacks(provider).items():
        answer = guarded.get("/quote", bearer(token))

        message = refusal(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer "), name
        assert token[:20] not in message, name


def test_a_refused_token_is_not_helped_by_trying_again(guarded: Api, provider: Provider) -> None:
    token = bearer(with_changed_claims(provider))

    assert [guarded.get("/quote", token).status_code for _ in range(3)] == [401, 401, 401]


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic YWRtaW46YWRtaW4="}, {"Authorization": "Bearer"}, {"X-API-Key": "wrong"}]
)
def test_without_a_good_credential_there_is_nothing(guarded: Api, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/quote"), ("HEAD", "/quote"), ("GET", "/hub"), ("DELETE", "/quote/1")):
        answer = guarded.request(method, path, headers)
        assert answer.status_code == 401
        assert "www-authenticate" in answer.headers


def test_two_credentials_of_a_kind_are_refused(guarded: Api, provider: Provider) -> None:
    with httpx.Client() as client:
        both = [("Authorization", f"Bearer {provider.token(role)}") for role in ("reader", "admin")]
        assert client.get(f"{guarded.root}/quote", headers=both).status_code == 401


def test_a_body_is_not_even_read_from_a_stranger(guarded: Api) -> None:
    refusal(guarded.post("/quote", b"{not json"), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [("GET", "/quote", "tmf648:read"), ("POST", "/quote", "tmf648:write"), ("DELETE", "/quote/1", "tmf648:admin")],
)
def test_a_missing_scope_is_named(guarded: Api, provider: Provider, method: str, path: str, scope: str) -> None:
    others = " ".join(each for each in SCOPES.split() if each != scope)

    answer = guarded.request(method, path, provider.headers("admin", scope=others))

    assert scope in refusal(answer, 403, "forbidden")
    assert answer.headers["www-authenticate"] == (
        f'Bearer realm="tmf-api", error="insufficient_scope", scope="{scope}"'
    )


def test_somebody_without_a_role_may_nothing(guarded: Api, provider: Provider) -> None:
    for claims in ({}, {"realm_access": None}, {"realm_access": "x"}, {"realm_access": {"roles": [1, {}]}}):
        refusal(guarded.get("/quote", provider.headers(**claims)), 403, "forbidden")


def test_an_api_key_is_let_in_with_its_roles(guarded: Api) -> None:
    key = {"X-API-Key": API_KEY}

    assert guarded.get("/quote", key).status_code == 200
    refusal(guarded.post("/quote", {"quoteItem": [{"action": "add"}]}, key), 403, "forbidden")


def test_the_contract_that_is_served_says_that_credentials_are_needed(guarded: Api) -> None:
    contract = httpx.get(f"{guarded.root}/openapi.json").json()

    requirements = [contract["security"]]
    requirements += [
        each["security"] for item in contract["paths"].values() for each in item.values() if "security" in each
    ]
    assert requirements
    assert all(requirement and {} not in requirement for requirement in requirements)


def test_what_is_no_api_needs_no_credential(guarded: Api) -> None:
    for path in ("/live", "/ready", f"{QUOTES}/openapi.json"):
        assert httpx.get(guarded.url + path).status_code == 200


def test_a_refusal_does_not_tell_of_hidden_resources(guarded: Api, provider: Provider) -> None:
    admin, customer = provider.headers("admin"), provider.headers("customer")
    hidden = guarded.post("/quote", {"quoteItem": [{"action": "add"}]}, admin).json()["id"]
    absent = "0" * len(hidden)

    def response_to(
        id: str, method: str, suffix: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        sent: dict[str, Any] = {"content": b'{"state": "accepted"}'} if method == "PATCH" else {}
        as_json = {"Content-Type": "application/json"} if sent else {}
        answer = guarded.request(method, f"/quote/{id}{suffix}", {**customer, **as_json, **(headers or {})}, **sent)
        assert "etag" not in answer.headers
        return answer.status_code, answer.text.replace(id, "ID"), answer.headers.get("content-length", "")

    for method in ("GET", "PATCH", "DELETE", "HEAD"):
        for suffix in ("", ":(version=1)", ":(version=7)"):
            for headers in ({}, {"If-Match": '"1"'}, {"If-Match": '"7"'}, {"If-None-Match": "*"}):
                assert response_to(hidden, method, suffix, headers) == response_to(absent, method, suffix, headers)


# limits --------------------------------------------------------------------------------------------------------------


def test_a_caller_beyond_its_rate_limit_learns_when_to_come_back(services: Services, provider: Provider) -> None:
    service = services.on("memory", **provider.environ, TMF_SALES_RATE_LIMIT="1")
    api = services.api(service, SALES)
    eager, calm = provider.headers("reader", sub="eager"), provider.headers("reader", sub="calm")

    answers = [api.get("/salesLead", eager) for _ in range(20)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.status_code for answer in answers} == {200, 429}
    refusal(refused[0], 429, "tooManyRequests")
    assert refused[0].headers["retry-after"] == "1"
    assert api.get("/salesLead", calm).status_code == 200


def test_a_caller_may_have_only_so_many_listeners(services: Services, provider: Provider) -> None:
    service = services.on("memory", **provider.environ, TMF_SALES_LISTENER_LIMIT="2")
    api = services.api(service, SALES)

    def register(subject: str) -> httpx.Response:
        return api.post(
            "/hub", {"callback": f"http://{unique_text()}.example.com"}, provider.headers("reader", sub=subject)
        )

    first, second = register("one"), register("one")
    assert [first.status_code, second.status_code] == [201, 201]
    third = register("one")
    assert "at most 2" in refusal(third, 429, "tooManyRequests")
    assert "retry-after" in third.headers
    assert register("another").status_code == 201
    api.delete(f"/hub/{first.json()['id']}", provider.headers("reader", sub="one"))
    assert register("one").status_code == 201


# keys from a URL -----------------------------------------------------------------------------------------------------


class KeyServer:
    """Serves a JWKS, and counts how often it is asked."""

    def __init__(self, jwks: Path) -> None:
        self.asked = 0
        server = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                body = jwks.read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}/certs"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def key_server(provider: Provider) -> Iterator[KeyServer]:
    server = KeyServer(provider.jwks)
    yield server
    server.stop()


def test_a_storm_of_unknown_keys_is_one_look_at_the_provider(
    services: Services, provider: Provider, key_server: KeyServer
) -> None:
    service = services.on("memory", **{**provider.environ, "TMF_SALES_JWT_KEYS": key_server.url})
    api = services.api(service, QUOTES)

    assert api.get("/quote", provider.headers("reader")).status_code == 200
    for number in range(50):
        token = provider.token("admin", header={"kid": f"unknown {number}"})
        refusal(api.get("/quote", bearer(token)), 401, "unauthenticated")

    assert key_server.asked == 1
