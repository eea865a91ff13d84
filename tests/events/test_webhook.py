"""Webhooks and their connections, against a real socket that answers what the test says."""

import asyncio
import contextlib
import datetime
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence

import pytest
import trustme
from standardwebhooks.webhooks import Webhook as Verifier

from tmf_sales.events.delivery import http_client
from tmf_sales.events.delivery.http_client import Connection, ConnectionFailed
from tmf_sales.events.delivery.webhook import Attempt, Message, Webhook
from tmf_sales.events.signing import read_secrets, written_secret
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard, parse_callback

MESSAGE = Message("event-1", b'{"eventId":"event-1"}', (("resource-revision", "3"),))
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class Listener:
    """Answers each request with the next of `answers`, the last one for ever; None never answers, b"" hangs up."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = [OK]
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""
        self.hang_up_after_answer = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is None:
                    await reader.read()
                elif answer:
                    writer.write(answer)
                    await writer.drain()
                if not answer or self.hang_up_after_answer:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def served(listener: Listener, tls: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    """The listener on a port of its own; its connections are closed at the end."""
    under_way: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(listener.serve(reader, writer))
        under_way.add(task)
        try:
            await task
        except asyncio.CancelledError:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls else "http"
    listener.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/listener?a=b"
    try:
        yield listener
    finally:
        server.close()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with served(Listener()) as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[Webhook]:
    made = Webhook(SsrfGuard(LOOPBACK), lambda: 1_700_000_000.5)
    yield made
    made.close()


async def answered(client: Webhook, listener: Listener, *answers: bytes | None) -> Attempt:
    listener.answers = list(answers)
    return await client.post(listener.url, MESSAGE)


async def test_a_message_is_posted_with_its_headers(client: Webhook, listener: Listener) -> None:
    attempt = await client.post(listener.url, MESSAGE)

    head, _, body = listener.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /listener?a=b HTTP/1.1"
    assert set(head.split(b"\r\n")[1:]) == {
        b"host: " + listener.url.split("/")[2].encode(),
        b"accept: application/json",
        b"content-type: application/json",
        b"content-length: 21",
        b"user-agent: tmf-sales",
        b"webhook-id: event-1",
        b"webhook-timestamp: 1700000000",
        b"resource-revision: 3",
    }
    assert body == MESSAGE.body
    assert (attempt.status, attempt.succeeded, attempt.error, attempt.at) == (204, True, None, 1_700_000_000.5)
    assert attempt.duration > 0


async def test_what_arrives_verifies_with_an_independent_package(listener: Listener) -> None:
    secret = written_secret(b"s" * 32)
    client = Webhook(SsrfGuard(LOOPBACK), lambda: datetime.datetime.now(datetime.UTC).timestamp())

    await client.post(listener.url, MESSAGE, read_secrets(secret))
    client.close()

    head, _, body = listener.requests[0].decode().partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert Verifier(secret).verify(body, headers) == {"eventId": "event-1"}


@pytest.mark.parametrize(
    ("answer", "status", "shown"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone", 200, "done"),
        (b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 201, "abc"),
        (b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\n\xff!", 500, "�!"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n", 202, ""),
        (b"HTTP/1.0 200 OK\r\n\r\n", 200, ""),
        (b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", 410, ""),
    ],
)
async def test_the_answers_status_and_body_are_recorded(
    client: Webhook, listener: Listener, answer: bytes, status: int, shown: str
) -> None:
    listener.hang_up_after_answer = True
    attempt = await answered(client, listener, answer)

    assert (attempt.status, attempt.answer, attempt.error) == (status, shown, None)
    assert attempt.succeeded == (200 <= status < 300)
    assert attempt.is_gone == (status == 410)


async def test_only_the_first_2_kb_of_the_answer_are_kept(client: Webhook, listener: Listener) -> None:
    body = b"a" * 3000
    attempt = await answered(client, listener, b"HTTP/1.1 200 OK\r\ncontent-length: 3000\r\n\r\n" + body)

    assert attempt.answer == "a" * 2048


async def test_an_answer_in_pieces_is_put_together(client: Webhook, listener: Listener) -> None:
    chunk = b"400\r\n" + b"a" * 1024 + b"\r\n"
    attempt = await answered(
        client, listener, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk * 3 + b"0\r\n\r\n"
    )

    assert attempt.answer == "a" * 2048


async def test_an_endless_answer_is_cut_off_but_its_status_stands(client: Webhook, listener: Listener) -> None:
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n" + b"a" * http_client.ANSWER_LIMIT
    attempt = await answered(client, listener, endless)

    assert (attempt.status, attempt.succeeded) == (200, True)


async def test_endless_headers_are_a_failure(client: Webhook, listener: Listener) -> None:
    attempt = await answered(client, listener, b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * http_client.ANSWER_LIMIT)

    assert (attempt.status, attempt.error) == (None, "the answer has too many headers")


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n"])
async def test_what_is_not_http_is_a_failure(client: Webhook, listener: Listener, answer: bytes) -> None:
    attempt = await answered(client, listener, answer)

    assert (attempt.status, attempt.error) == (None, "the answer is not HTTP/1.1")


async def test_a_redirect_is_a_failure_and_not_followed(client: Webhook, listener: Listener) -> None:
    moved = b"HTTP/1.1 307 Moved\r\nlocation: " + listener.url.encode() + b"\r\ncontent-length: 0\r\n\r\n"
    attempt = await answered(client, listener, moved)

    assert (attempt.status, attempt.succeeded) == (307, False)
    assert len(listener.requests) == 1


async def test_retry_after_is_read(client: Webhook, listener: Listener) -> None:
    attempt = await answered(client, listener, b"HTTP/1.1 503 No\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\n")

    assert attempt.retry_after == 7.0


async def test_the_proxy_of_the_environment_is_not_asked(
    client: Webhook, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")

    assert (await client.post(listener.url, MESSAGE)).succeeded


async def test_a_connection_is_used_again(client: Webhook, listener: Listener) -> None:
    for _ in range(3):
        assert (await client.post(listener.url, MESSAGE)).succeeded

    assert listener.connections == 1


async def test_a_connection_that_the_listener_will_close_is_not_used_again(client: Webhook, listener: Listener) -> None:
    await answered(client, listener, b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    await client.post(listener.url, MESSAGE)

    assert listener.connections == 2


async def test_a_kept_connection_that_breaks_within_an_answer_is_a_failure(client: Webhook, listener: Listener) -> None:
    await answered(client, listener, OK, b"nonsense")

    assert (await client.post(listener.url, MESSAGE)).error == "the answer is not HTTP/1.1"
    assert listener.connections == 1


async def test_several_posts_at_once_have_their_own_connections(client: Webhook, listener: Listener) -> None:
    attempts = await asyncio.gather(*(client.post(listener.url, MESSAGE) for _ in range(12)))

    assert all(attempt.succeeded for attempt in attempts)
    assert listener.connections == 12


async def test_no_more_connections_stay_open_than_the_limit(client: Webhook, listener: Listener) -> None:
    client._connections = 1
    await asyncio.gather(*(client.post(listener.url, MESSAGE) for _ in range(3)))
    await asyncio.gather(*(client.post(listener.url, MESSAGE) for _ in range(2)))
    assert listener.connections == 4


async def all_closed(client: Webhook) -> None:
    """Wait until the loop has seen that the other side closed what was idle."""
    while any(connection.is_open for idle in client._idle.values() for connection in idle):  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_idle_connections_that_were_closed_are_passed_over(client: Webhook) -> None:
    async with served(Listener()) as first:
        await asyncio.gather(*(client.post(first.url, MESSAGE) for _ in range(2)))
    await all_closed(client)

    assert (await client.post(first.url, MESSAGE)).error is not None


async def test_an_idle_connection_is_closed_when_another_host_needs_its_place(
    client: Webhook, listener: Listener
) -> None:
    client._connections = 2
    async with served(Listener()) as other:
        await asyncio.gather(*(client.post(other.url, MESSAGE) for _ in range(2)))
        await asyncio.gather(*(client.post(listener.url, MESSAGE) for _ in range(2)))
        assert client._idle_count <= 2
        assert [len(idle) for idle in client._idle.values()] == [2]
        assert (other.connections, listener.connections) == (2, 2)


async def test_idle_connections_that_were_closed_make_room(client: Webhook, listener: Listener) -> None:
    client._connections = 1
    async with served(Listener()) as other:
        await client.post(other.url, MESSAGE)
    await all_closed(client)
    for _ in range(2):
        await client.post(listener.url, MESSAGE)

    assert listener.connections == 1


async def test_an_idle_connection_that_the_listener_closed_is_no_failure(client: Webhook, listener: Listener) -> None:
    await answered(client, listener, OK, b"", OK)
    attempt = await client.post(listener.url, MESSAGE)

    assert attempt.succeeded
    assert listener.connections == 2


async def test_a_new_connection_that_is_closed_without_an_answer_is_a_failure(
    client: Webhook, listener: Listener
) -> None:
    attempt = await answered(client, listener, b"")

    assert attempt.error == "the connection was closed before the answer"
    assert len(listener.requests) == 1


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"?"])
async def test_what_comes_behind_an_answer_is_never_taken_for_another(
    client: Webhook, listener: Listener, more: bytes
) -> None:
    first = await answered(client, listener, OK + more, b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n")

    assert (first.status, first.retry_after) == (204, None)
    assert (await client.post(listener.url, MESSAGE)).status == 500
    assert listener.connections == 2


async def test_what_comes_unasked_closes_the_connection() -> None:
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        closed.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        target = parse_callback(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        made = await Connection.connect("127.0.0.1", target, ssl.create_default_context())
        await closed.wait()

    assert not made.is_open


async def test_a_connection_that_breaks_is_a_failure() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        linger = struct.pack("ii", 1, 0)  # makes the system send a reset
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        attempt = await Webhook(SsrfGuard(LOOPBACK)).post(url, MESSAGE)

    assert attempt.error == "ConnectionResetError: Connection reset by peer"


async def test_a_listener_that_does_not_answer_is_a_failure(listener: Listener) -> None:
    client = Webhook(SsrfGuard(LOOPBACK), timeout=0.05)

    assert (await answered(client, listener, None)).error == "no answer in time"


async def test_a_listener_that_is_not_there_is_a_failure(client: Webhook) -> None:
    attempt = await client.post("http://127.0.0.1:1/", MESSAGE)

    assert attempt.status is None
    assert attempt.error is not None
    assert attempt.error.startswith("ConnectionRefusedError")


async def test_a_host_that_takes_no_connection_in_time_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(address: str, target: object, tls: object) -> Connection:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Connection, "connect", never)
    client = Webhook(SsrfGuard(LOOPBACK), connect_timeout=0.01)

    assert (await client.post("http://127.0.0.1/", MESSAGE)).error == "not reachable in time"


async def test_a_name_that_does_not_resolve_is_a_failure() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError

    client = Webhook(SsrfGuard(resolve=resolve))

    assert (await client.post("http://in.listener.com/", MESSAGE)).error == "the host's name has no address"


async def test_a_name_that_came_to_point_inside_is_not_called(listener: Listener) -> None:
    """DNS rebinding: public when it was registered, loopback when it is used."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    guard = SsrfGuard(resolve=resolve)
    callback = listener.url.replace("127.0.0.1", "rebinding.example")
    await guard.vet(callback)

    attempt = await Webhook(guard).post(callback, MESSAGE)

    assert attempt.error is not None
    assert attempt.error.startswith("refused: /callback")
    assert listener.connections == 0


async def test_the_connection_goes_to_the_vetted_address_without_asking_again(listener: Listener) -> None:
    asked = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    client = Webhook(SsrfGuard(LOOPBACK, resolve=resolve))

    attempt = await client.post(listener.url.replace("127.0.0.1", "name.invalid"), MESSAGE)
    client.close()

    assert attempt.succeeded
    assert asked == ["name.invalid"]
    assert b"host: name.invalid:" in listener.requests[0]


async def test_the_next_address_is_tried_when_one_does_not_answer(listener: Listener) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    client = Webhook(SsrfGuard(LOOPBACK, resolve=resolve))

    assert (await client.post(listener.url.replace("127.0.0.1", "name.invalid"), MESSAGE)).succeeded
    client.close()


async def test_a_stored_callback_that_is_no_url_is_a_failure(client: Webhook) -> None:
    attempt = await client.post("gopher://x", MESSAGE)

    assert attempt.error is not None
    assert attempt.error.startswith("refused: /callback")


async def test_a_closed_connection_says_so(listener: Listener) -> None:
    target = parse_callback(listener.url)
    made = await Connection.connect("127.0.0.1", target, ssl.create_default_context())
    made.close()

    with pytest.raises(ConnectionFailed) as caught:
        await made.post(target, [], b"")
    assert caught.value.was_idle


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def secure_listener(authority: trustme.CA) -> AsyncIterator[Listener]:
    made, context = Listener(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("name.invalid").configure_cert(context)
    async with served(made, context):
        yield made


def client_that_trusts(authority: trustme.CA | None) -> Webhook:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    trusted = ssl.create_default_context()
    if authority:
        authority.configure_trust(trusted)
    return Webhook(SsrfGuard(LOOPBACK, require_https=True, resolve=resolve), tls=trusted)


async def test_a_certificate_is_checked_against_the_name_and_not_the_address(
    secure_listener: Listener, authority: trustme.CA
) -> None:
    client = client_that_trusts(authority)

    attempt = await client.post(secure_listener.url.replace("127.0.0.1", "name.invalid"), MESSAGE)
    client.close()

    assert (attempt.status, attempt.error) == (204, None)


async def test_a_certificate_for_another_name_is_a_failure(secure_listener: Listener, authority: trustme.CA) -> None:
    client = client_that_trusts(authority)

    attempt = await client.post(secure_listener.url.replace("127.0.0.1", "other.invalid"), MESSAGE)

    assert attempt.error is not None
    assert attempt.error.startswith("the certificate is not valid: ")


async def test_a_certificate_of_nobody_known_is_a_failure(secure_listener: Listener) -> None:
    attempt = await client_that_trusts(None).post(secure_listener.url.replace("127.0.0.1", "name.invalid"), MESSAGE)

    assert attempt.error is not None
    assert attempt.error.startswith("the certificate is not valid: ")
    assert secure_listener.requests == []


async def test_https_to_a_listener_without_tls_is_a_failure() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        attempt = await Webhook(SsrfGuard(LOOPBACK)).post(url, MESSAGE)

    assert attempt.error == "TLS failed"
