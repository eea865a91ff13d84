"""Attacks on where a request ends, over raw sockets: nothing of a body is ever served as a request.

Each sends all its bytes, ends its side of the connection, and reads every answer. A request that is hidden in a body
deletes the canary; it must be there afterwards.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import httpx
import pytest
from tests.http.conftest import Services
from tests.service import Service

LEADS = "/tmf-api/sales/v4/salesLead"
PATIENCE = 30


@pytest.fixture(scope="module")
def service(services: Services) -> Service:
    return services.on("memory")


@pytest.fixture(scope="module")
def canary(service: Service) -> str:
    return str(httpx.post(service.url + LEADS, json={"name": "canary"}).json()["id"])


def hidden(canary: str) -> bytes:
    return f"DELETE {LEADS}/{canary} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def answers(port: int, segments: Sequence[bytes]) -> list[int]:
    """The status of every answer to these bytes, until the service closes the connection."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        try:
            for segment in segments:
                connection.sendall(segment)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    return statuses(received)


def statuses(received: bytes) -> list[int]:
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        found.append(int(head.split()[1]))
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        received = rest[int(fields.get(b"content-length", b"0")) :] if found[-1] not in (100, 204) else rest
    return found


HOST = "Host: localhost"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
UPGRADE = ("Connection: Upgrade", "Upgrade: h2c")


def head(line: str, *fields: str) -> bytes:
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1")


def post(*fields: str, version: str = "HTTP/1.1") -> bytes:
    return head(f"POST {LEADS} {version}", HOST, JSON, *fields)


def get(*fields: str, target: str = "/live", version: str = "HTTP/1.1") -> bytes:
    return head(f"GET {target} {version}", *fields)


BODY = "{hidden}"  # stands for the hidden request, {length} for its length, {hex} for that in hexadecimal digits
LENGTH = "Content-Length: {length}"
CHUNK = "{hex}\r\n{hidden}\r\n0\r\n\r\n"

# Name -> what is sent, cut into segments at each "|", and the statuses of all answers.
ATTACKS: dict[str, tuple[bytes | str, list[int]]] = {
    # An upgrade changes nothing about where the body ends.
    "upgrade": (post(LENGTH, *UPGRADE).decode() + BODY, [400]),
    "upgrade, cut within its name": (
        post(LENGTH, *UPGRADE).decode().replace("Upgrade: h", "Upg|rade: h") + "|" + BODY,
        [400],
    ),
    "upgrade before the length": (post(*UPGRADE, LENGTH).decode() + "|" + BODY, [400]),
    "upgrade in chunks": (post(CHUNKED, *UPGRADE).decode() + "|" + CHUNK, [400]),
    "upgrade on GET": (get(HOST, LENGTH, *UPGRADE).decode() + "|" + BODY, [200]),
    "upgrade on GET, cut": (
        get(HOST, LENGTH, *UPGRADE).decode().replace("Upgrade: h", "Upg|rade: h") + "|" + BODY,
        [200],
    ),
    "upgrade to websocket": (get(HOST, LENGTH, "Connection: upgrade", "Upgrade: websocket").decode() + BODY, [200]),
    "upgrade in the second request": (get(HOST).decode() + post(LENGTH, *UPGRADE).decode() + "|" + BODY, [200, 400]),
    "upgrade in the second request, cut": (
        get(HOST).decode() + post(LENGTH, *UPGRADE).decode().replace("Upgrade: h", "Upg|rade: h") + "|" + BODY,
        [200, 400],
    ),
    "upgrade and HTTP2-Settings": (
        post(LENGTH, "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAE", "Upgrade: h2c").decode() + BODY,
        [400],
    ),
    "upgrade, then a request": (get(HOST, *UPGRADE) + get(HOST), [200, 200]),
    "connect": (head("CONNECT localhost:80 HTTP/1.1", HOST, LENGTH).decode() + BODY, [400]),
    "connect to a path": (head(f"CONNECT {LEADS} HTTP/1.1", HOST, LENGTH).decode() + BODY, [400]),
    "connect in the second request": (
        get(HOST).decode() + head("CONNECT a:1 HTTP/1.1", HOST).decode() + BODY,
        [200, 400],
    ),
    # Lengths.
    "two lengths": (post("Content-Length: 0", LENGTH).decode() + BODY, [400]),
    "two equal lengths": (post(LENGTH, LENGTH).decode() + BODY, [400]),
    "a list of lengths": (post("Content-Length: {length}, {length}").decode() + BODY, [400]),
    "a length with a sign": (post("Content-Length: +{length}").decode() + BODY, [400]),
    "a negative length": (post("Content-Length: -1").decode() + BODY, [400]),
    "a length in hexadecimal digits": (post("Content-Length: 0x10").decode() + BODY, [400]),
    "a length with a fraction": (post("Content-Length: 5.0").decode() + BODY, [400]),
    "a length with a blank in it": (post("Content-Length: 1 0").decode() + BODY, [400]),
    "a length with underscores": (post("Content-Length: 1_0").decode() + BODY, [400]),
    "an empty length": (post("Content-Length: ").decode() + BODY, [400]),
    "a length in other digits": (post("Content-Length: \xb2").decode("latin-1") + BODY, [400]),
    "a length beyond 64 bits": (post("Content-Length: 18446744073709551617").decode() + BODY, [400]),
    "a length with a quoted value": (post('Content-Length: "5"').decode() + BODY, [400]),
    "a length folded over two lines": (post("Content-Length:\r\n {length}").decode() + BODY, [400]),
    "a blank before the colon of a length": (post("Content-Length : {length}").decode() + BODY, [400]),
    "a tab before the colon of a length": (post("Content-Length\t: {length}").decode() + BODY, [400]),
    "a blank before the name of a length": (post(" Content-Length: {length}").decode() + BODY, [400]),
    "a length behind a bare line feed": (post("X: y\nContent-Length: {length}").decode() + BODY, [400]),
    "a length behind a bare carriage return": (post("X: y\rContent-Length: {length}").decode() + BODY, [400]),
    "a length behind a NUL": (post("X: y\0\r\nContent-Length: {length}").decode() + BODY, [400]),
    "a length after a vertical tab": (post("Content-Length:\x0b{length}").decode() + BODY, [400]),
    # Codings.
    "a length and chunks": (post(LENGTH, CHUNKED).decode() + CHUNK, [400]),
    "chunks and a length": (post(CHUNKED, LENGTH).decode() + CHUNK, [400]),
    "chunks and the length 0": (post(CHUNKED, "Content-Length: 0").decode() + CHUNK, [400]),
    "chunks twice": (post(CHUNKED, CHUNKED).decode() + CHUNK, [400]),
    "chunked, chunked": (post("Transfer-Encoding: chunked, chunked").decode() + CHUNK, [400]),
    "gzip, chunked": (post("Transfer-Encoding: gzip, chunked").decode() + CHUNK, [400]),
    "chunked, identity": (post("Transfer-Encoding: chunked, identity").decode() + CHUNK, [400]),
    "identity": (post("Transfer-Encoding: identity", LENGTH).decode() + BODY, [400]),
    "gzip alone": (post("Transfer-Encoding: gzip").decode() + BODY, [400]),
    "an unknown coding": (post("Transfer-Encoding: xchunked").decode() + CHUNK, [400]),
    "chunked with a parameter": (post("Transfer-Encoding: chunked;q=1").decode() + CHUNK, [400]),
    "chunked in quotes": (post('Transfer-Encoding: "chunked"').decode() + CHUNK, [400]),
    "chunked with a comma": (post("Transfer-Encoding: ,chunked").decode() + CHUNK, [400]),
    "an empty coding": (post("Transfer-Encoding: ", LENGTH).decode() + BODY, [400]),
    "a blank before the colon of a coding": (post("Transfer-Encoding : chunked").decode() + CHUNK, [400]),
    "a vertical tab before chunked": (post("Transfer-Encoding:\x0bchunked").decode() + CHUNK, [400]),
    "a coding folded over two lines": (post("Transfer-Encoding:\r\n chunked").decode() + CHUNK, [400]),
    "a coding behind a bare line feed": (post(LENGTH, "X: y\nTransfer-Encoding: chunked").decode() + BODY, [400]),
    "chunks in HTTP/1.0": (post(CHUNKED, version="HTTP/1.0").decode() + CHUNK, [400]),
    "chunks on GET": (get(HOST, CHUNKED).decode() + CHUNK, [200]),
    "chunks on DELETE": (head(f"DELETE {LEADS}/none HTTP/1.1", HOST, CHUNKED).decode() + CHUNK, [404]),
    # Chunks.
    "a size with 0x": (post(CHUNKED).decode() + "0x{hex}\r\n{hidden}\r\n0\r\n\r\n", [400]),
    "a size with a sign": (post(CHUNKED).decode() + "+{hex}\r\n{hidden}\r\n0\r\n\r\n", [400]),
    "a size with a blank before": (post(CHUNKED).decode() + " {hex}\r\n{hidden}\r\n0\r\n\r\n", [400]),
    "a size beyond 64 bits": (post(CHUNKED).decode() + "10000000000000000\r\n{hidden}\r\n0\r\n\r\n", [400]),
    "a size with an underscore": (post(CHUNKED).decode() + "1_0\r\n{hidden}\r\n0\r\n\r\n", [400]),
    "no size": (post(CHUNKED).decode() + "\r\n{hidden}\r\n0\r\n\r\n", [400]),
    "a size that ends with a line feed": (post(CHUNKED).decode() + "{hex}\n{hidden}\r\n0\r\n\r\n", [400]),
    "a size that ends with a carriage return": (post(CHUNKED).decode() + "{hex}\r{hidden}\r\n0\r\n\r\n", [400]),
    "a chunk that is too long": (post(CHUNKED).decode() + "2\r\nabc{hidden}\r\n0\r\n\r\n", [400]),
    "a chunk without its line end": (post(CHUNKED).decode() + "2\r\nab0\r\n\r\n{hidden}", [400]),
    "a chunk that ends with a line feed": (post(CHUNKED).decode() + "2\r\nab\n0\r\n\r\n{hidden}", [400]),
    "a line feed in an extension": (post(CHUNKED).decode() + "2;a\nb\r\nab\r\n0\r\n\r\n{hidden}", [400]),
    "a control character in an extension": (post(CHUNKED).decode() + "2;a\x00b\r\nab\r\n0\r\n\r\n{hidden}", [400]),
    "a trailer without colon": (post(CHUNKED).decode() + "2\r\n{{}}\r\n0\r\n{hidden}", [400]),
    "a trailer that ends with a line feed": (post(CHUNKED).decode() + "2\r\n{{}}\r\n0\r\nX: y\n\r\n{hidden}", [400]),
    "a trailer that is a length": (
        get(HOST, CHUNKED).decode() + "0\r\nContent-Length: 50\r\n\r\n" + get(HOST).decode(),
        [400],
    ),
    # Lines, versions, targets and Host.
    "a head with line feeds alone": (get(HOST).decode().replace("\r\n", "\n"), [400]),
    "a line feed at the end of the request line": (get(HOST).decode().replace("\r\n", "\n", 1), [400]),
    "two blanks in the request line": (get(HOST, target=" /live"), [400]),
    "a tab in the request line": (get(HOST, target="\t/live"), [400]),
    "no version": (head("GET /live", HOST), [400]),
    "HTTP/0.9": (b"GET /live\r\n\r\n", [400]),
    "HTTP/2.0": (get(HOST, version="HTTP/2.0"), [400]),
    "HTTP/1.2": (get(HOST, version="HTTP/1.2"), [400]),
    "HTTP/11": (get(HOST, version="HTTP/11"), [400]),
    "http/1.1 in lower case": (get(HOST, version="http/1.1"), [400]),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    "a method in lower case": (head("get /live HTTP/1.1", HOST), [400]),
    "a name without value": (get(HOST, "X"), [400]),
    "a name with a blank": (get(HOST, "X Y: z"), [400]),
    "an empty name": (get(HOST, ": z"), [400]),
    "a folded field": (get(HOST, "X: y", " z"), [400]),
    "a first field that is folded": (get(" x", HOST), [400]),
    "a control character in a value": (get(HOST, "X: \x01"), [400]),
    "a NUL in a value": (get(HOST, "X: \0"), [400]),
    "no Host": (get(), [400]),
    "two Hosts": (get(HOST, HOST), [400]),
    "an empty Host": (get("Host:"), [400]),
    "a Host with a path": (get("Host: localhost/x"), [400]),
    "a Host with a user": (get("Host: a@localhost"), [400]),
    "a Host with a blank": (get("Host: local host"), [400]),
    "a list of Hosts": (get("Host: localhost, evil"), [400]),
    "a Host with a wrong port": (get("Host: localhost:99999"), [400]),
    "a Host with a port of letters": (get("Host: localhost:x"), [400]),
    "two Hosts of HTTP/1.0": (get(HOST, HOST, version="HTTP/1.0"), [400]),
    "no Host of HTTP/1.0": (get(version="HTTP/1.0"), [200]),
    "a URL with another host": (get(HOST, target="http://evil/live"), [400]),
    "a URL with a user": (get(HOST, target="http://evil@localhost/live"), [400]),
    "a URL with the same host": (get(HOST, target="http://localhost/live"), [200]),
    "another scheme": (get(HOST, target="ftp://localhost/live"), [400]),
    "an authority as target": (get(HOST, target="localhost:80"), [400]),
    # What is behind the end of a connection is never a request.
    "a request behind Connection: close": (get(HOST, "Connection: close").decode() + BODY, [200]),
    "a request behind HTTP/1.0": (get(HOST, version="HTTP/1.0").decode() + BODY, [200]),
    "a request behind what was rejected": (get("X y").decode() + "|" + BODY, [400]),
    "a body behind Connection: close": (post(LENGTH, "Connection: close").decode() + BODY + BODY, [400]),
}


def cut(sent: bytes | str, canary: str) -> list[bytes]:
    text = sent.decode("latin-1") if isinstance(sent, bytes) else sent
    carried = hidden(canary).decode()
    for name, value in {"{hidden}": carried, "{length}": str(len(carried)), "{hex}": f"{len(carried):x}"}.items():
        text = text.replace(name, value)
    return [segment.encode("latin-1") for segment in text.replace("{{", "{").replace("}}", "}").split("|")]


@pytest.mark.parametrize(("sent", "wanted"), ATTACKS.values(), ids=ATTACKS.keys())
def test_no_part_of_a_body_is_served_as_a_request(
    service: Service, canary: str, sent: bytes | str, wanted: list[int]
) -> None:
    assert answers(service.port, cut(sent, canary)) == wanted
    assert answers(service.port, [get(HOST, target=f"{LEADS}/{canary}")]) == [200]


JAVA = (  # as Java's HttpClient writes a request
    b"POST /tmf-api/sales/v4/salesLead HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 12\r\n"
    b"Host: 127.0.0.1\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n"
    b'Content-Type: application/json\r\n\r\n{"name":"x"}'
)


def test_a_request_of_java_s_client_is_served_at_every_split_point(service: Service) -> None:
    for place in range(1, len(JAVA)):
        assert answers(service.port, [JAVA[:place], JAVA[place:]]) == [201], place
