"""A server with authorization and TLS: the documented role is enough and no right in it is too many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
import yaml
from pymongo import MongoClient
from tests.mongodb import databases
from tests.mongodb.server import MongoServer
from tests.storage.tickets import KINDS, delete, event, insert, ticket, update

from tmf_sales.storage.conditions import Query
from tmf_sales.storage.mongo.store import MongoStorage
from tmf_sales.storage.protocol import StorageUnavailable, StoreRefused
from tmf_sales.storage.records import Kind

pytestmark = pytest.mark.usefixtures("_mongod")

OPERATING = Path(__file__).parents[3] / "docs/how-to/mongodb.md"
SECRET = "s@cret"  # noqa: S105
QUICK = "serverSelectionTimeoutMS=2000&timeoutMS=3000"


def documented_actions(command: str = "createRole") -> list[str]:
    """The actions that the documentation gives the role by a command."""
    text = OPERATING.read_text().partition(f'{command}: "tmfSales"')[2].partition("actions:")[2]
    actions: list[str] = yaml.safe_load(text[: text.index("]") + 1])
    return actions


@contextmanager
def admin(server: MongoServer) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](server.uri, username="root", password=SECRET) as client:
        yield client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    with MongoServer(tmp_path_factory.mktemp("auth"), ("--auth",)) as server:
        with MongoClient[dict[str, Any]](server.uri) as client:
            client.admin.command("createUser", "root", pwd=SECRET, roles=["root"])
        yield server


def user_with(server: MongoServer, name: str, actions: list[str]) -> str:
    """The URL of a database of its own for a user who may do just this there."""
    resource = {"db": name, "collection": ""}
    with admin(server) as client:
        privileges = [{"resource": resource, "actions": actions}]
        client[name].command("createRole", "tmfSales", privileges=privileges, roles=[])
        client[name].command("createUser", "sales", pwd=SECRET, roles=["tmfSales"])
    return f"mongodb://sales:s%40cret@127.0.0.1:{server.port}/{name}?authSource={name}&{QUICK}"


async def everything(url: str) -> None:
    """All that a store does."""
    store = MongoStorage(url, KINDS)
    await store.open()
    try:
        await store.ping()
        await store.commit(insert("1", ticket(), event("e1")))
        await store.get("ticket", "1")
        await store.commit(update("1", 1, ticket(name="new"), event("e2")))
        assert (await store.find("ticket", Query())).total == 1
        assert len(await store.walk("ticket", "", 10)) == 1
        await store.commit(delete("1", 2, event("e3")))
        assert store._outbox._task is not None
        await store._outbox._task
        await store.events.sweep()
        assert len(await store.events.not_fanned_out(10)) == 3
        assert await store.events.waiting() == {}
        await store.events.forget("nobody")
        await store.events.expire(0)
    finally:
        await store.close()


async def test_the_documented_role_is_enough(server: MongoServer) -> None:
    await everything(user_with(server, "enough", documented_actions()))


@pytest.mark.parametrize("action", documented_actions())
async def test_each_right_of_the_documented_role_is_needed(server: MongoServer, action: str) -> None:
    url = user_with(server, f"without_{action}", [each for each in documented_actions() if each != action])

    with pytest.raises(StorageUnavailable):
        await everything(url)


async def test_a_store_of_an_earlier_release_needs_the_documented_right_once(server: MongoServer) -> None:
    url = user_with(server, "upgrade", documented_actions())
    kind = Kind("tmf999/order", earlier_name="order")
    earlier: dict[str, Any] = {"_id": "1", "revision": 1, "born": 1, "changed": 1, "document": {"id": "1"}}
    with admin(server) as client:
        client["upgrade"]["resource_order"].insert_one(earlier)
    with pytest.raises(StoreRefused, match="does not rename resource_order to resource_tmf999/order: Unauthorized"):
        await MongoStorage(url, [kind]).open()

    privilege = {
        "resource": {"db": "upgrade", "collection": ""},
        "actions": documented_actions("grantPrivilegesToRole"),
    }
    with admin(server) as client:
        client["upgrade"].command("grantPrivilegesToRole", "tmfSales", privileges=[privilege])
    store = MongoStorage(url, [kind])
    await store.open()
    try:
        assert await store.get(kind.name, "1") is not None
        assert await store.unknown_kinds() == {}
    finally:
        await store.close()


async def test_a_wrong_password_is_unavailable_and_nowhere_in_the_log(
    server: MongoServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"mongodb://root:wr0ng@127.0.0.1:{server.port}/db?authSource=admin&{QUICK}"
    with pytest.raises(StorageUnavailable) as raised:
        await everything(url)

    assert "wr0ng" not in caplog.text + str(raised.value)
    assert "Authentication failed" in caplog.text


async def test_tests_run_on_a_server_that_is_named_with_credentials_and_options(
    server: MongoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_MONGODB", f"mongodb://root:s%40cret@127.0.0.1:{server.port}/?appname=named&{QUICK}")
    monkeypatch.setattr(databases, "used", used := set[str]())
    with ExitStack() as ends:
        url = databases.Databases(lambda: tmp_path, ends).new()
        await everything(url)
        with admin(server) as client:
            assert urlsplit(url).path.strip("/") in client.list_database_names()

    assert used == {"the server that TEST_MONGODB names"}
    with admin(server) as client:
        assert urlsplit(url).path.strip("/") not in client.list_database_names(), "dropped at the end"


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("mongodb://h:1", "mongodb://h:1/x"),
        ("mongodb://a,b/?replicaSet=rs0", "mongodb://a,b/x?replicaSet=rs0"),
        ("mongodb://u:p%40@h/mine", "mongodb://u:p%40@h/x?authSource=mine"),
        ("mongodb://u:p@h/?tls=true", "mongodb://u:p@h/x?tls=true&authSource=admin"),
        ("mongodb://u:p@h/?authSource=other", "mongodb://u:p@h/x?authSource=other"),
    ],
)
def test_a_database_of_a_test_keeps_options_and_credentials(named: str, expected: str) -> None:
    assert databases.database_url(named, "x") == expected


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MongoServer, Path]]:
    """A server that speaks TLS only, and the file of the authority that signed its certificate for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    authority, own = folder / "ca.pem", folder / "server.pem"
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(authority))
    ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(own))
    options = ("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", own, "--tlsCAFile", authority)
    with MongoServer(folder / "data", (*options, "--tlsAllowConnectionsWithoutCertificates")) as server:
        yield server, authority


async def test_tls_serves_who_trusts_the_authority(secure: tuple[MongoServer, Path]) -> None:
    server, authority = secure
    await everything(f"mongodb://localhost:{server.port}/db?tls=true&tlsCAFile={authority}&{QUICK}")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_tls_is_refused_for_another_name_and_without_trust(secure: tuple[MongoServer, Path], host: str) -> None:
    server, authority = secure
    trust = f"&tlsCAFile={authority}" if host == "127.0.0.1" else ""

    with pytest.raises(StorageUnavailable):
        await everything(f"mongodb://{host}:{server.port}/db?tls=true{trust}&{QUICK}")


async def test_without_tls_such_a_server_is_unavailable(secure: tuple[MongoServer, Path]) -> None:
    server, _ = secure
    with pytest.raises(StorageUnavailable):
        await everything(f"mongodb://localhost:{server.port}/db?{QUICK}")
