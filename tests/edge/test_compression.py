"""Responses are compressed for clients that accept it, and their entity tags keep working (RFC 9110, 8.8.3)."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Mapping
from typing import Any

import brotli
import httpx
import pytest
from tests.edge.conftest import Start

from tmf_sales.edge.compression import chosen_coding, compressed, is_worth_compressing

LEADS = "/tmf-api/sales/v4/salesLead"
QUOTES = "/tmf-api/quoteManagement/v4/quote"
PLAIN = {"Accept-Encoding": "identity"}


def raw(url: str, headers: Mapping[str, str], method: str = "GET") -> tuple[httpx.Response, bytes]:
    """A response and its bytes as they were sent."""
    with httpx.stream(method, url, headers=headers) as response:
        return response, b"".join(response.iter_raw())


def decoded(coding: str, body: bytes) -> bytes:
    return bytes(brotli.decompress(body)) if coding == "br" else zlib.decompress(body, 31)


def a_quote(service: str) -> str:
    listed: list[dict[str, Any]] = httpx.get(service + QUOTES).json()
    return f"{service}{QUOTES}/{max(listed, key=lambda quote: len(str(quote)))['id']}"


def a_new_lead(service: str) -> str:
    created = httpx.post(service + LEADS, json={"name": "new", "description": "long " * 800})
    assert created.status_code == 201
    return str(created.headers["location"])


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.5, gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("*", "br"),
        ("br;q=0, *;q=0.1", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0, br;q=0.000", None),
        ("identity", None),
        ("zstd, deflate", None),
        ("", None),
    ],
)
def test_the_coding_with_the_highest_weight_is_sent(accept: str, coding: str | None) -> None:
    assert chosen_coding(accept.encode()) == coding


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_response_is_the_same_after_decompression(start: Start, coding: str) -> None:
    url = a_quote(start().url)
    plain, text = raw(url, PLAIN)

    response, body = raw(url, {"Accept-Encoding": coding})

    assert response.headers["content-encoding"] == coding
    assert int(response.headers["content-length"]) == len(body) < len(text)
    assert decoded(coding, body) == text
    assert "accept-encoding" in response.headers.get_list("vary")
    assert "accept-encoding" in plain.headers.get_list("vary")
    assert "content-encoding" not in plain.headers


def test_a_large_list_is_sent_in_compressed_pieces(start: Start) -> None:
    service = start(TMF_SALES_PAGE_MAX="500").url
    for _ in range(50):
        a_new_lead(service)
    url = f"{service}{LEADS}?sort=id"
    _, text = raw(url, PLAIN)
    assert len(text) > 128 * 1024

    for coding in ("gzip", "br"):
        response, body = raw(url, {"Accept-Encoding": coding})

        assert response.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in response.headers
        assert decoded(coding, body) == text


def test_a_small_response_stays_as_it_is(start: Start) -> None:
    response, body = raw(f"{start().url}{QUOTES}/unknown", {"Accept-Encoding": "gzip, br"})

    assert "content-encoding" not in response.headers
    assert int(response.headers["content-length"]) == len(body)


def test_head_has_the_headers_of_get_and_no_body(start: Start) -> None:
    url = a_quote(start().url)

    head, body = raw(url, {"Accept-Encoding": "gzip"}, "HEAD")
    get, _ = raw(url, {"Accept-Encoding": "gzip"})

    assert body == b""
    for name in ("etag", "content-encoding", "content-type", "vary"):
        assert head.headers[name] == get.headers[name]


def test_each_coding_has_its_own_strong_tag(start: Start) -> None:
    url = a_quote(start().url)

    tags = {raw(url, {"Accept-Encoding": coding})[0].headers["etag"] for coding in ("identity", "gzip", "br")}

    assert len(tags) == 3
    assert all(tag.startswith('"') for tag in tags)


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_change_takes_the_tag_of_a_compressed_response(start: Start, coding: str) -> None:
    url = a_new_lead(start().url)
    tag = raw(url, {"Accept-Encoding": coding})[0].headers["etag"]

    changed = httpx.patch(url, json={"description": f"for {coding}"}, headers={"If-Match": tag, **PLAIN})
    again = httpx.patch(url, json={"description": "too late"}, headers={"If-Match": tag, **PLAIN})
    weak = httpx.patch(url, json={"description": "x"}, headers={"If-Match": f"W/{changed.headers['etag']}", **PLAIN})

    assert changed.status_code == 200
    assert again.status_code == 412
    assert weak.status_code == 412


def test_a_change_is_rejected_when_its_if_none_match_has_the_tag_of_a_coding(start: Start) -> None:
    url = a_new_lead(start().url)
    tag = raw(url, {"Accept-Encoding": "gzip"})[0].headers["etag"]

    assert httpx.patch(url, json={"description": "x"}, headers={"If-None-Match": tag, **PLAIN}).status_code == 412


@pytest.mark.parametrize(
    ("held", "accepted", "status"),
    [
        ("gzip", "gzip", 304),
        ("br", "br", 304),
        ("identity", "identity", 304),
        ("identity", "gzip", 304),
        ("gzip", "identity", 200),
        ("gzip", "br", 200),
    ],
)
def test_a_read_is_not_modified_for_the_tag_that_the_client_holds(
    start: Start, held: str, accepted: str, status: int
) -> None:
    url = a_quote(start().url)
    tag = raw(url, {"Accept-Encoding": held})[0].headers["etag"]

    response, _ = raw(url, {"Accept-Encoding": accepted, "If-None-Match": tag})

    assert response.status_code == status
    assert (response.headers["etag"] == tag) == (status == 304)


def test_a_page_that_has_a_gzip_form_of_its_own_is_not_compressed_again(start: Start) -> None:
    url = f"{start().url}/tmf-api/quoteManagement/v4/openapi.json"

    response, body = raw(url, {"Accept-Encoding": "gzip"})

    assert response.headers.get_list("content-encoding") == ["gzip"]
    assert decoded("gzip", body) == raw(url, PLAIN)[1]
    tag = response.headers["etag"]
    assert raw(url, {"Accept-Encoding": "gzip", "If-None-Match": tag})[0].status_code == 304


def test_compression_can_be_left_to_a_proxy(start: Start) -> None:
    url = a_quote(start(TMF_SALES_NO_COMPRESSION="true").url)

    response, _ = raw(url, {"Accept-Encoding": "gzip, br"})

    assert "content-encoding" not in response.headers
    assert "vary" not in response.headers


def test_a_body_for_http_1_0_is_not_compressed(start: Start) -> None:
    service = start()
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        path = a_quote(service.url).removeprefix(service.url)
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))

    assert b"content-encoding" not in received.lower()
    assert received.endswith(b"}")


@pytest.mark.parametrize(
    ("headers", "worth"),
    [
        ([(b"content-type", b"application/json"), (b"content-length", b"1024")], True),
        ([(b"Content-Type", b"application/problem+json"), (b"Content-Length", b"5000")], True),
        ([(b"content-type", b"application/json"), (b"content-length", b"1023")], False),
        ([(b"content-type", b"text/event-stream")], False),
        ([(b"content-type", b"image/png"), (b"content-length", b"5000")], False),
        ([(b"content-type", b"text/css"), (b"content-length", b"5000"), (b"content-encoding", b"gzip")], False),
    ],
)
def test_only_text_of_known_length_is_compressed(headers: list[tuple[bytes, bytes]], worth: bool) -> None:
    assert is_worth_compressing(headers) is worth


def test_brotli_is_smaller_than_gzip_for_json() -> None:
    text = b'{"id":"1","href":"https://host/quote/1","state":"inProgress","quoteItem":[]},' * 200

    assert len(compressed("br", text)) < len(compressed("gzip", text)) < len(text) / 10
