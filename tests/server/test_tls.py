"""HTTPS by one worker and by several: certificate, client certificates, management port, reload."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from tests.service import PATIENCE, Service, start_service

from tmf_sales.configuration.settings import Settings
from tmf_sales.server.tls import InvalidTls, Tls, create_context
from tmf_sales.telemetry.certificate import expiry_of

WORKERS = pytest.mark.parametrize("workers", ["1", "2"])
LEADS = "/tmf-api/sales/v4/salesLead"
EXPIRES = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
LATER = datetime(2051, 1, 1, tzinfo=UTC)  # written in another form than times before 2050


class Files:
    """A certificate with its key, and the authority that issued it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authority = trustme.CA()
        self.ca, self.certificate, self.key = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
        self.authority.cert_pem.write_to_path(self.ca)
        self.renew(EXPIRES)

    def renew(self, expires: datetime) -> None:
        issued = self.authority.issue_cert("127.0.0.1", not_after=expires)
        issued.private_key_pem.write_to_path(self.key)
        self.certificate.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))

    @property
    def options(self) -> list[str]:
        return ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]

    @property
    def settings(self) -> Settings:
        return Settings(tls_cert=self.certificate, tls_key=self.key)

    def client(self, identity: Files | None = None) -> ssl.SSLContext:
        """What a client needs that trusts this authority; `identity`: whose certificate it presents."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        return context


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "tls")


Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Service] = []

    def begin(*options: str) -> Service:
        service = start_service(
            tmp_path / f"{len(started)}.log",
            *("--store", f"sqlite:{tmp_path}/store.sqlite", *options),
            environ={"TMF_SALES_LOG_LEVEL": "info"},
        )
        started.append(service)
        return service

    yield begin
    for service in started:
        service.stop()


def until_logged(service: Service, text: str, times: int = 1) -> str:
    end = time.monotonic() + PATIENCE
    while (found := service.log.read_text()).count(text) < times:
        assert time.monotonic() < end, found
    return found


def expiry(service: Service, client: ssl.SSLContext) -> float:
    """When the certificate expires that a new connection gets."""
    with (
        socket.create_connection(("127.0.0.1", service.port)) as plain,
        client.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted,
    ):
        found = encrypted.getpeercert()
        assert found is not None
        return float(ssl.cert_time_to_seconds(str(found["notAfter"])))


@WORKERS
def test_https_is_served_and_the_management_port_is_plain(start: Start, files: Files, workers: str) -> None:
    service = start("--workers", workers, "--management-port", "0", *files.options)

    with httpx.Client(base_url=service.url, verify=files.client()) as client:
        created = client.post(LEADS, json={"name": "x"})
        assert created.status_code == 201
        assert created.json()["href"].startswith(f"{service.url}{LEADS}/")
        assert client.get(created.json()["href"]).status_code == 200
        assert client.get("/metrics").status_code == 404
    with pytest.raises(httpx.TransportError):
        httpx.get(service.url.replace("https:", "http:") + "/live")
    (management,) = re.findall(r"Management: (http://\S+)", service.log.read_text())
    assert httpx.get(f"{management}/live").status_code == 200
    shown = httpx.get(f"{management}/metrics").text
    (value,) = re.findall(r"^tmf_sales_tls_certificate_expiry_timestamp_seconds (\S+)$", shown, re.MULTILINE)
    assert float(value) == EXPIRES.timestamp()


def test_what_is_no_request_is_answered_over_tls_too(start: Start, files: Files) -> None:
    service = start(*files.options)

    with (
        socket.create_connection(("127.0.0.1", service.port)) as plain,
        files.client().wrap_socket(plain, server_hostname="127.0.0.1") as encrypted,
    ):
        encrypted.sendall(b"GET / HTTP/1.1\r\n\r\n")
        answer = b"".join(iter(lambda: encrypted.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")


@WORKERS
def test_with_a_client_authority_only_its_certificates_are_let_in(
    start: Start, files: Files, tmp_path: Path, workers: str
) -> None:
    clients, strangers = Files(tmp_path / "clients"), Files(tmp_path / "strangers")
    service = start("--workers", workers, *files.options, "--tls-client-ca", str(clients.ca))

    assert httpx.get(f"{service.url}/live", verify=files.client(clients)).status_code == 200
    for identity in (None, strangers):
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{service.url}/live", verify=files.client(identity))

    shutil.copy(strangers.ca, clients.ca)  # the authority itself can be reloaded
    os.kill(service.process.pid, signal.SIGHUP)
    until_logged(service, "the settings are reloaded", 1 if workers == "1" else 3)
    assert httpx.get(f"{service.url}/live", verify=files.client(strangers)).status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{service.url}/live", verify=files.client(clients))


@WORKERS
def test_a_renewed_certificate_is_reloaded_and_an_invalid_one_is_not(start: Start, files: Files, workers: str) -> None:
    service = start("--workers", workers, *files.options)
    client = files.client()
    with httpx.Client(base_url=service.url, verify=client) as kept:
        assert kept.get("/live").status_code == 200
        assert expiry(service, client) == EXPIRES.timestamp()
        files.renew(LATER)
        os.kill(service.process.pid, signal.SIGHUP)
        until_logged(service, "the settings are reloaded", 1 if workers == "1" else 3)

        assert {expiry(service, client) for _ in range(8)} == {LATER.timestamp()}
        assert kept.get("/live").status_code == 200  # an open connection goes on
        shown = kept.get("/metrics").text
        (value,) = re.findall(r"^tmf_sales_tls_certificate_expiry_timestamp_seconds (\S+)$", shown, re.MULTILINE)
        assert float(value) == LATER.timestamp()

    files.key.write_bytes(trustme.CA().issue_cert("127.0.0.1").private_key_pem.bytes())
    os.kill(service.process.pid, signal.SIGHUP)
    text = until_logged(service, "the settings are not reloaded: ")
    assert "expected the private key of the certificate in TMF_SALES_TLS_CERT" in text
    assert {expiry(service, client) for _ in range(8)} == {LATER.timestamp()}
    assert service.log.read_text().count("not reloaded") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="stops the process so that connections queue")
def test_connections_in_the_accept_queue_are_served_over_tls(start: Start, files: Files) -> None:
    service = start(*files.options)
    os.kill(service.process.pid, signal.SIGSTOP)
    silent = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(3)]  # never begin a handshake
    speaks = socket.create_connection(("127.0.0.1", service.port))
    service.ask_to_end()
    os.kill(service.process.pid, signal.SIGCONT)

    with files.client().wrap_socket(speaks, server_hostname="127.0.0.1") as encrypted:
        encrypted.sendall(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert encrypted.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert service.exit_code() == 0
    for each in silent:
        each.close()


def fault(settings: Settings) -> str:
    with pytest.raises(InvalidTls) as rejected:
        create_context(settings)
    return str(rejected.value)


def test_each_file_that_cannot_be_used_has_its_message(files: Files, tmp_path: Path) -> None:
    empty, missing, other = tmp_path / "empty", tmp_path / "missing", Files(tmp_path / "other")
    empty.write_text("")
    certificate, key = files.certificate, files.key

    assert fault(Settings(tls_cert=empty, tls_key=key)) == (
        f"TMF_SALES_TLS_CERT is '{empty}'; expected a certificate chain as PEM"
    )
    assert fault(Settings(tls_cert=missing, tls_key=key)) == (
        f"TMF_SALES_TLS_CERT is '{missing}', which cannot be read: No such file or directory"
    )
    assert fault(Settings(tls_cert=certificate, tls_key=empty)) == (
        f"TMF_SALES_TLS_KEY is '{empty}'; expected a private key as PEM"
    )
    assert fault(Settings(tls_cert=certificate, tls_key=other.key)) == (
        f"TMF_SALES_TLS_KEY is '{other.key}'; expected the private key of the certificate in TMF_SALES_TLS_CERT"
    )
    for content in ("", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"):
        empty.write_text(content)
        assert fault(Settings(tls_cert=certificate, tls_key=key, tls_client_ca=empty)) == (
            f"TMF_SALES_TLS_CLIENT_CA is '{empty}'; expected certificates as PEM"
        )
    assert fault(Settings(tls_cert=empty, tls_key=key)) == (
        f"TMF_SALES_TLS_CERT and TMF_SALES_TLS_KEY are '{empty}' and '{key}'; expected valid PEM"
    )


def test_a_key_with_a_passphrase_is_rejected_without_asking_for_it(files: Files) -> None:
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )

    assert fault(files.settings) == f"TMF_SALES_TLS_KEY is '{files.key}'; expected a private key without a passphrase"


def test_what_only_a_restart_can_change_is_rejected(files: Files) -> None:
    tls = Tls(files.settings)

    with pytest.raises(InvalidTls, match="TMF_SALES_TLS_CERT was removed, which needs a restart"):
        tls.prepare(Settings())
    with pytest.raises(InvalidTls, match="TMF_SALES_TLS_CLIENT_CA was added or removed, which needs a restart"):
        tls.prepare(Settings(tls_cert=files.certificate, tls_key=files.key, tls_client_ca=files.ca))


def test_a_file_without_a_certificate_has_no_expiry(tmp_path: Path) -> None:
    file = tmp_path / "file"

    assert expiry_of(file) is None
    for content in ("", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"):
        file.write_text(content)
        assert expiry_of(file) is None
