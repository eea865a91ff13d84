"""Bearer tokens, the keys they are checked with, and API keys, without a server."""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import urlsafe_b64encode
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey
from tests.identity import AUDIENCE, ISSUER, PARTY, SCOPES, Provider, new_key

from tmf_sales.auth import jwt
from tmf_sales.auth.api_keys import ApiKeys, BadApiKeys
from tmf_sales.auth.jwks import OLD_AFTER, READ_INTERVAL, Keys, reader_of, usable_keys
from tmf_sales.auth.jwt import TokenRules, Tokens, texts_at
from tmf_sales.auth.rate_limit import RateLimit
from tmf_sales.configuration.setting_types import JWT_ALGORITHMS
from tmf_sales.errors import TooManyRequests, Unauthenticated, Unavailable

RULES = TokenRules(ISSUER, AUDIENCE, JWT_ALGORITHMS, 30, "realm_access.roles", "parties")


SHORT_MODULUS = urlsafe_b64encode(b"\xc1" * 127 + b"\x01").decode().rstrip("=")


class Clock:
    def __init__(self, at: float = 0.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class Source:
    """A JWKS that is read from memory; None: it cannot be."""

    def __init__(self, document: bytes | None) -> None:
        self.document = document
        self.read_times = 0

    async def __call__(self) -> bytes:
        self.read_times += 1
        await asyncio.sleep(0)
        if self.document is None:
            raise httpx.ConnectError("away")
        return self.document


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


@pytest.fixture
def source(provider: Provider) -> Source:
    return Source(provider.jwks.read_bytes())


# tokens --------------------------------------------------------------------------------------------------------------


async def test_a_token_says_who_calls(provider: Provider) -> None:
    checked = await Tokens(RULES, Keys(reader_of(str(provider.jwks)))).credential_of(provider.token("sales"))

    assert checked.principal.subject == "somebody-sales"
    assert checked.principal.roles == {"sales"}
    assert checked.principal.parties == {PARTY}
    assert checked.scopes == frozenset(SCOPES.split())


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("PS256", new_key("one")),
        ("ES256", ECKey.generate_key("P-256", {"kid": "one"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "one"})),
        ("EdDSA", OKPKey.generate_key("Ed25519", {"kid": "one"})),
    ],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # where the test signs
async def test_each_family_of_keys_is_taken(provider: Provider, algorithm: str, key: ECKey) -> None:
    provider.publish(key)
    token = provider.token("sales", key=key, header={"alg": algorithm})

    assert (await Tokens(RULES, Keys(reader_of(str(provider.jwks)))).credential_of(token)).principal.roles == {"sales"}


async def test_a_token_is_checked_once_until_it_may_have_expired(provider: Provider, source: Source) -> None:
    clock = Clock(1_000_000_000)
    checking = Tokens(RULES, Keys(source), clock)
    token = provider.token("sales", exp=1_000_000_100)
    first = await checking.credential_of(token)

    assert await checking.credential_of(token) is first
    assert first.principal.is_valid()
    clock.at += 131
    assert not first.principal.is_valid()
    with pytest.raises(Unauthenticated, match="expired"):
        await checking.credential_of(token)


async def test_only_so_many_tokens_are_remembered(
    provider: Provider, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwt, "KEPT", 1)
    checking = Tokens(RULES, Keys(source))
    one, two = provider.token("sales"), provider.token("reader")
    first = await checking.credential_of(one)
    second = await checking.credential_of(two)

    assert await checking.credential_of(two) is second
    assert await checking.credential_of(one) is not first


@pytest.mark.parametrize(
    ("claims", "path", "found"),
    [
        ({"roles": ["a", 1, "b"]}, "roles", {"a", "b"}),
        ({"roles": "a b"}, "roles", {"a", "b"}),
        ({"a": {"b": {"c": ["x"]}}}, "a.b.c", {"x"}),
        ({"https://example.com/roles": ["x"]}, "https://example.com/roles", {"x"}),
        ({"a": "text"}, "a.b", set()),
        ({"a": {"b": 1}}, "a.b", set()),
        ({}, "a", set()),
    ],
)
def test_a_claim_is_found_by_its_path(claims: dict[str, object], path: str, found: set[str]) -> None:
    assert texts_at(claims, path) == frozenset(found)


# keys ----------------------------------------------------------------------------------------------------------------


async def test_unknown_keys_are_looked_for_once_in_an_interval(source: Source) -> None:
    clock = Clock(100)
    keys = Keys(source, clock)
    assert await keys.find("one", "RS256") is not None

    found = await asyncio.gather(*(keys.find(f"unknown {number}", "RS256") for number in range(100)))
    assert set(found) == {None}
    assert source.read_times == 1
    clock.at += READ_INTERVAL
    await asyncio.gather(*(keys.find(f"unknown {number}", "RS256") for number in range(100)))
    assert source.read_times == 2


async def test_a_key_that_is_new_is_found(provider: Provider, source: Source) -> None:
    clock = Clock()
    keys = Keys(source, clock)
    await keys.find("one", "RS256")
    provider.publish(new_key("two"))
    source.document = provider.jwks.read_bytes()
    clock.at += READ_INTERVAL

    assert await keys.find("two", "RS256") is not None
    assert await keys.find("one", "RS256") is None


async def test_a_key_that_was_withdrawn_is_forgotten(provider: Provider, source: Source) -> None:
    clock = Clock()
    keys = Keys(source, clock)
    await keys.find("one", "RS256")
    provider.publish(new_key("two"))
    source.document = provider.jwks.read_bytes()
    clock.at += OLD_AFTER + 1

    await keys.find("one", "RS256")  # begins to read anew, and waits for nothing
    await asyncio.sleep(0.01)
    assert await keys.find("one", "RS256") is None


async def test_a_provider_that_is_away_harms_nobody_whose_key_is_known(source: Source) -> None:
    clock = Clock()
    keys = Keys(source, clock)
    await keys.find("one", "RS256")
    source.document = None
    clock.at += OLD_AFTER + 1

    assert await keys.find("two", "RS256") is None
    assert await keys.find("one", "RS256") is not None


async def test_without_any_keys_the_service_says_that_it_cannot_tell() -> None:
    source = Source(None)
    keys = Keys(source, Clock())

    for _ in range(2):
        with pytest.raises(Unavailable):
            await keys.find("one", "RS256")
    assert source.read_times == 1


async def test_a_token_without_a_name_of_its_key_needs_the_only_one(provider: Provider, source: Source) -> None:
    assert await Keys(source, Clock()).find(None, "RS256") is not None
    assert await Keys(source, Clock()).find(None, "ES256") is None
    provider.publish(provider.key, new_key("two"))
    source.document = provider.jwks.read_bytes()
    assert await Keys(source, Clock()).find(None, "RS256") is None


@pytest.mark.parametrize(
    "entry",
    [
        OctKey.generate_key(256, {"kid": "one"}).as_dict(private=True),
        {**new_key("one").as_dict(private=False), "use": "enc"},
        {"kty": "RSA", "kid": "one", "n": SHORT_MODULUS, "e": "AQAB"},
        {"kty": "RSA", "n": "!", "e": "AQAB"},
        {"kty": "EC"},
        "text",
    ],
    ids=["secret", "encryption", "short", "broken", "empty", "text"],
)
def test_a_key_that_proves_nothing_is_left_out(entry: object) -> None:
    assert usable_keys(json.dumps({"keys": [entry]}).encode()) == []


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": 1}', b"[" * 100_000])
def test_what_is_no_jwks_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"no JWKS|Expecting value"):
        usable_keys(document)


def answering(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response) -> None:
    real = httpx.AsyncClient
    transport = httpx.MockTransport(lambda _: answer)
    monkeypatch.setattr(httpx, "AsyncClient", lambda **options: real(transport=transport, **options))


async def test_keys_are_read_from_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, httpx.Response(200, content=b"{}"))

    assert await reader_of("https://id.example.com/certs")() == b"{}"


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(302, headers={"Location": "http://169.254.169.254/"}), httpx.Response(200, content=b"x" * 2**21)],
)
async def test_a_redirect_or_a_flood_is_no_jwks(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response) -> None:
    answering(monkeypatch, answer)

    with pytest.raises(ValueError, match=r"status 302|too large"):
        await reader_of("https://id.example.com/certs")()


# API keys ------------------------------------------------------------------------------------------------------------


def entry(**members: object) -> dict[str, object]:
    return {"name": "billing", "sha256": hashlib.sha256(b"key").hexdigest(), **members}


def loaded(folder: Path, entries: object) -> ApiKeys:
    path = folder / "keys.yaml"
    path.write_text(json.dumps(entries))
    return ApiKeys.load(path)


def test_an_api_key_stands_for_its_roles_and_parties(tmp_path: Path) -> None:
    keys = loaded(tmp_path, [entry(roles=["reader"], parties=["1"])])

    credential = keys.credential_of("key")

    assert credential.principal.subject == "api-key:billing"
    assert credential.principal.roles == {"reader"}
    assert credential.principal.parties == {"1"}
    assert credential.scopes is None
    for wrong in ("", "Key", "key ", "k" * 10_000, "k\xe9y"):
        with pytest.raises(Unauthenticated):
            keys.credential_of(wrong)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({}, "expected a list"),
        (["x"], "entry 1: expected the members"),
        ([entry(key="key")], "entry 1: expected the members"),
        ([entry(name="")], "entry 1: expected a name"),
        ([entry(sha256="key")], "entry 1: sha256"),
        ([entry(roles="reader")], "entry 1: roles: expected a list"),
        ([entry(), entry(sha256="0" * 64)], "there twice"),
        ([entry(), entry(name="other")], "there twice"),
    ],
)
def test_a_file_of_keys_that_cannot_be_used_is_refused(tmp_path: Path, entries: object, said: str) -> None:
    with pytest.raises(BadApiKeys, match=said) as refused:
        loaded(tmp_path, entries)
    assert "\n" not in str(refused.value)


def test_a_file_of_keys_that_is_no_yaml_is_refused_without_being_shown(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("secret: [")

    with pytest.raises(BadApiKeys) as refused:
        ApiKeys.load(path)
    assert "secret" not in str(refused.value)


# limits --------------------------------------------------------------------------------------------------------------


async def test_each_caller_has_a_limit_of_its_own() -> None:
    limit = RateLimit(1)

    async def hurry() -> None:
        for _ in range(100):
            await limit.reject_too_many("eager", {})

    with pytest.raises(TooManyRequests) as refused:
        await hurry()
    assert refused.value.headers["Retry-After"] == "1"
    await limit.reject_too_many("calm", {})
