"""Promises of tmf_sales.events.ssrf_guard: no callback reaches the operator's own network, however it is spelled."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

import pytest

from tmf_sales.errors import CallbackRefused, InvalidBody
from tmf_sales.events import ssrf_guard
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard, Unresolved, parse_callback, resolve_by_system

PUBLIC = "93.184.216.34"

FORBIDDEN_ADDRESSES = [
    "0.0.0.0",  # noqa: S104  an address to refuse
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[100::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[3fff::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fec0::1]",
    "[ff02::1]",
]

# What the system's resolver, not the URL, reads as an address.
FORBIDDEN_SPELLINGS = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.1",
    "127.0.1",
    "0",
    "2130706433",
    "0x7f000001",
    "0X7F.0.0.1",
    "0x7f.1",
    "017700000001",
    "0177.0.0.01",
    "127.0.0.1.",
    "2852039166",
    "0xa9fea9fe",
    "3232235777",
    "10.1",
]

MALFORMED = [
    "",
    "in.listener.example",
    "/relative",
    "//host/path",
    "ftp://host/",
    "file:///etc/passwd",
    "gopher://host/",
    "javascript:alert(1)",
    "http://",
    "http:///path",
    "http://user@host/",
    "http://user:pass@host/",
    "http://@host/",
    "http://host/#part",
    "http://host/#",
    "http://host:0/",
    "http://host:65536/",
    "http://host:x/",
    "http://[::1/",
    "http://[name]/",
    "http://a b/",
    "http://host/a b",
    "http://host/\r\nx: y",
    "http://host/\x00",
    "http://host\t/",
    "http://host\\@other/",
    "http://127。0。0。1/",
    "http://①②⑦.0.0.1/",
    "http://127%2e0.0.1/",
    "http://-host/",
    "http://a..b/",
    "http://" + "a" * 64 + "/",
    "http://host/" + "a" * 2048,
]


async def to_public(host: str, port: int) -> Sequence[str]:
    return [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946"]


@pytest.mark.parametrize("host", FORBIDDEN_ADDRESSES)
async def test_a_forbidden_address_is_refused_at_registration(host: str) -> None:
    with pytest.raises(CallbackRefused) as caught:
        await SsrfGuard().vet(f"http://{host}:8000/listener")

    assert caught.value.message.startswith("/callback: ")


@pytest.mark.parametrize("host", FORBIDDEN_ADDRESSES)
async def test_a_name_that_resolves_to_a_forbidden_address_is_refused(host: str) -> None:
    async def resolve(name: str, port: int) -> Sequence[str]:
        return [PUBLIC, host.strip("[]").replace("%25", "%")]

    with pytest.raises(CallbackRefused) as caught:
        await SsrfGuard(resolve=resolve).vet("https://listener.example/")

    assert host.strip("[]") not in caught.value.message  # what a name resolves to inside is nothing to tell


@pytest.mark.parametrize("host", FORBIDDEN_SPELLINGS)
async def test_no_spelling_of_a_forbidden_address_gets_through(host: str) -> None:
    guard = SsrfGuard()
    try:
        addresses = await guard.addresses(parse_callback(f"http://{host}/"))
    except (CallbackRefused, Unresolved):
        return
    pytest.fail(f"{host} was taken for {addresses}")


async def test_the_systems_resolver_reads_odd_spellings_and_the_guard_judges_what_it_reads() -> None:
    assert "127.0.0.1" in await resolve_by_system("0x7f000001", 80)
    with pytest.raises(CallbackRefused):
        await SsrfGuard().vet("http://0x7f000001/")


@pytest.mark.parametrize("url", MALFORMED)
async def test_a_malformed_callback_is_no_valid_body(url: str) -> None:
    with pytest.raises(InvalidBody) as caught:
        await SsrfGuard(resolve=to_public).vet(url)

    assert [violation.pointer for violation in caught.value.violations] == ["/callback"]


@pytest.mark.parametrize(
    "url",
    [
        "http://in.listener.com",
        "https://listener.example:8443/a/b?c=d&e=%20",
        "HTTP://Listener.Example/",
        "http://93.184.216.34/",
        "http://[2606:2800:220:1:248:1893:25c8:1946]/",
        "http://xn--mnchen-3ya.example/",
        "http://under_score.example/",
    ],
)
async def test_public_callbacks_are_taken(url: str) -> None:
    await SsrfGuard(resolve=to_public).vet(url)


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long"), TimeoutError()])
async def test_a_name_that_does_not_resolve_is_taken_but_not_connected_to(error: Exception) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise error

    guard = SsrfGuard(resolve=resolve)

    await guard.vet("http://in.listener.com")
    with pytest.raises(Unresolved):
        await guard.addresses(parse_callback("http://in.listener.com"))


async def test_a_name_without_any_address_is_taken_but_not_connected_to() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return []

    with pytest.raises(Unresolved):
        await SsrfGuard(resolve=resolve).addresses(parse_callback("http://in.listener.com"))


async def test_a_name_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(ssrf_guard, "LOOKUP_TIMEOUT", 0.01)
    with pytest.raises(Unresolved):
        await SsrfGuard(resolve=resolve).addresses(parse_callback("http://in.listener.com"))


async def test_an_answer_that_is_no_address_is_refused() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["nonsense"]

    with pytest.raises(CallbackRefused):
        await SsrfGuard(resolve=resolve).vet("http://in.listener.com")


async def test_each_check_resolves_once_and_the_answer_is_what_may_be_connected_to() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    guard, target = SsrfGuard(resolve=resolve), parse_callback("http://rebinding.example/")

    assert await guard.addresses(target) == [PUBLIC]
    with pytest.raises(CallbackRefused):
        await guard.addresses(target)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "localhost"])
async def test_the_operator_may_allow_loopback(host: str) -> None:
    await SsrfGuard(LOOPBACK).vet(f"http://{host}/")


async def test_what_the_operator_allows_opens_nothing_else() -> None:
    guard = SsrfGuard([ipaddress.ip_network("10.1.0.0/16")])

    await guard.vet("http://10.1.2.3/")
    for host in ("10.2.0.1", "127.0.0.1", "[::1]", "[64:ff9b::a01:203]", "[2002:a01:203::]"):
        with pytest.raises(CallbackRefused):
            await guard.vet(f"http://{host}/")


async def test_production_may_require_https() -> None:
    guard = SsrfGuard(require_https=True, resolve=to_public)

    await guard.vet("https://listener.example/")
    with pytest.raises(CallbackRefused, match="https only"):
        await guard.vet("http://listener.example/")
    with pytest.raises(CallbackRefused, match="https only"):
        await guard.addresses(parse_callback("http://listener.example/"))


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://host", "host", "/"),
        ("http://host:80/a", "host", "/a"),
        ("https://host:443?b", "host", "/?b"),
        ("https://HOST:80/A?b=%2F&c", "host:80", "/A?b=%2F&c"),
        ("http://[::1]:81/", "[::1]:81", "/"),
    ],
)
def test_a_callback_is_taken_apart(url: str, authority: str, path: str) -> None:
    target = parse_callback(url)

    assert (target.authority, target.path) == (authority, path)


def test_a_callback_that_is_not_valid_has_no_host() -> None:
    assert ssrf_guard.host_of("ftp://host/") == ""
