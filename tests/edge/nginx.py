"""A real nginx with the configuration of docs/how-to/proxies.md, on ports that the system chose."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
GUIDE = Path(__file__).parents[2] / "docs/how-to/proxies.md"
PATIENCE = 60.0

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running nginx; `trust` verifies its certificate."""

    url: str
    trust: ssl.SSLContext


@contextmanager
def nginx(folder: Path, servers: Sequence[int]) -> Iterator[Proxy]:
    """Run nginx in front of the services on these ports."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "crm.key")
    for number, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(folder / "crm.pem", append=number > 0)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    port = free_port()
    (folder / "nginx.conf").write_text(configuration(folder, port, servers))
    assert NGINX is not None
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"], stdout=log, stderr=log)
    try:
        wait_until_it_listens(process, port, folder / "nginx.log")
        yield Proxy(f"https://localhost:{port}", trust)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def configuration(folder: Path, port: int, servers: Sequence[int]) -> str:
    """The documented configuration, with the ports and paths of the test."""
    block = re.search(r"```nginx\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    text = block[1]
    for documented, own in (
        ("server 127.0.0.1:8080 max_fails=0;", "".join(f"server 127.0.0.1:{each} max_fails=0;" for each in servers)),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/nginx/tls", str(folder)),
        ("server_name crm.example.com;", "server_name crm.example.com shop.example.com;"),
    ):
        assert documented in text
        text = text.replace(documented, own)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    head = f"daemon off;\nmaster_process off;\nerror_log {folder}/error.log;\npid {folder}/nginx.pid;\nevents {{}}\n"
    return f"{head}http {{\naccess_log off;\n{temporary}{text}}}\n"


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx does not listen")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def client_of(proxy: Proxy, host: str = "crm.example.com") -> httpx.Client:
    return httpx.Client(base_url=f"{proxy.url}/sales", verify=proxy.trust, headers={"Host": host}, timeout=PATIENCE)
