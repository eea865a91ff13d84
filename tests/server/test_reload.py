"""SIGHUP reloads API keys, policy, price book and log in every process of a service, and in a delivery worker."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from tests.service import PATIENCE, Service, first_line, let_go, start_service

from tmf_sales.auth.policy_table import SHIPPED

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no SIGHUP")

QUOTES = "/tmf-api/quoteManagement/v4/quote"
EVENTS = "/tmf-api/quoteManagement/v4/event"
ASKED = {"instantSyncQuote": True, "quoteItem": [{"id": "1", "action": "add", "productOffering": {"id": "line"}}]}


class Configured:
    """A service whose configuration file names API keys, a policy and a price book."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.keys, self.policy, self.book = folder / "keys.yaml", folder / "policy.yaml", folder / "book.json"
        self.file, self.workers = folder / "sales.toml", workers
        self.accept("old-key")
        self.allow("listQuote", "createQuote")
        self.price(10)
        self.configure()
        self.service: Service = start_service(
            folder / "log", "--store", f"sqlite:{folder}/store.sqlite", "--config", str(self.file)
        )

    @property
    def processes(self) -> int:
        return 1 if self.workers == 1 else self.workers + 1

    def configure(self, log_level: str = "info", **more: str | int) -> None:
        given = {
            "api_keys": str(self.keys),
            "policy": str(self.policy),
            "price_book": str(self.book),
            "workers": self.workers,
            "log_level": log_level,
            **more,
        }
        self.file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items()))

    def accept(self, key: str) -> None:
        entry = {"name": "crm", "sha256": hashlib.sha256(key.encode()).hexdigest(), "roles": ["tester"]}
        self.keys.write_text(yaml.safe_dump([entry]))

    def allow(self, *operations: str) -> None:
        self.policy.write_text(yaml.safe_dump({"tester": [{"may": [*operations]}]}) + SHIPPED.read_text())

    def price(self, value: int) -> None:
        price = {"priceType": "recurring", "price": {"dutyFreeAmount": {"unit": "EUR", "value": value}}}
        self.book.write_text(json.dumps({"offerings": [{"id": "line", "prices": [price]}]}))

    def reload(self) -> None:
        """Send the signal, and wait until every process has reloaded."""
        done = self.lines("the settings are reloaded")
        os.kill(self.service.process.pid, signal.SIGHUP)
        self.until_logged("the settings are reloaded", done + self.processes)

    def rejected(self) -> str:
        """Send the signal, and return why the settings are not reloaded."""
        done = self.lines("the settings are not reloaded")
        os.kill(self.service.process.pid, signal.SIGHUP)
        self.until_logged("the settings are not reloaded", done + 1)
        return self.service.log.read_text().splitlines()[-1].partition(" error the settings are not reloaded: ")[2]

    def lines(self, text: str) -> int:
        return self.service.log.read_text().count(text)

    def until_logged(self, text: str, times: int) -> None:
        end = time.monotonic() + PATIENCE
        while self.lines(text) < times:
            assert time.monotonic() < end, self.service.log.read_text()

    def statuses(self, key: str) -> set[int]:
        """How every process answers: each request has a connection of its own."""
        url, headers = self.service.url + QUOTES, {"X-API-Key": key}
        return {httpx.get(url, headers=headers).status_code for _ in range(4 * self.workers)}

    def prices(self, key: str) -> set[float]:
        url, headers = self.service.url + QUOTES, {"X-API-Key": key}
        answers = [httpx.post(url, json=ASKED, headers=headers) for _ in range(4 * self.workers)]
        return {each.json()["quoteTotalPrice"][0]["price"]["dutyFreeAmount"]["value"] for each in answers}


@pytest.fixture(params=[1, 2], ids=["one worker", "two workers"])
def configured(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Configured]:
    made = Configured(tmp_path, request.param)
    with made.service:
        yield made


def workers_of(service: Service) -> set[int]:
    first = service.process.pid
    return set(map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split()))


def test_a_reload_reaches_every_process_and_its_successors(configured: Configured) -> None:
    assert configured.statuses("old-key") == {200}
    assert configured.prices("old-key") == {10}
    configured.accept("new-key")
    configured.price(20)

    configured.reload()

    assert configured.statuses("new-key") == {200}
    assert configured.statuses("old-key") == {401}
    assert configured.prices("new-key") == {20}

    configured.allow("createQuote")
    configured.configure(log_level="warning", drain=1)
    os.kill(configured.service.process.pid, signal.SIGHUP)
    configured.until_logged("a reload does not change TMF_SALES_DRAIN; start the service again", configured.processes)

    assert configured.statuses("new-key") == {403}
    before = configured.lines(" request ")
    assert configured.prices("new-key") == {20}
    assert configured.lines(" request ") == before

    if configured.workers > 1 and sys.platform == "linux":
        old = workers_of(configured.service)
        os.kill(min(old), signal.SIGKILL)
        end = time.monotonic() + PATIENCE
        while len(workers_of(configured.service) - old) != 1:
            assert time.monotonic() < end
        assert configured.statuses("old-key") == {401}
        assert configured.prices("new-key") == {20}


def test_a_reload_ends_the_event_streams_of_a_removed_key(configured: Configured) -> None:
    configured.allow("listEvent", "createQuote")
    configured.reload()
    url, headers = configured.service.url, {"X-API-Key": "old-key", "Accept": "text/event-stream"}
    with httpx.stream("GET", f"{url}{EVENTS}", headers=headers, timeout=PATIENCE) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        configured.accept("new-key")
        configured.reload()

        configured.prices("new-key")

        assert [line for line in lines if line] == []


def test_what_is_invalid_keeps_everything_as_it_was_and_is_one_line(configured: Configured) -> None:
    configured.accept("new-key")
    configured.price(20)
    configured.allow("listQuoet")
    assert configured.rejected().startswith("policy policy.yaml: role tester, row 1: ")

    configured.allow("listQuote", "createQuote")
    configured.book.write_text("{}")
    assert configured.rejected().startswith(f"{configured.book}#/offerings: ")

    configured.price(20)
    configured.keys.write_text("- {}")
    assert configured.rejected() == "api_keys keys.yaml: entry 1: expected a name"

    configured.accept("new-key")
    configured.configure(prot=1, log_level="loud")
    assert configured.rejected() == (
        f"{configured.file}: 'prot' is not a setting; did you mean port?; {configured.file}: log_level is 'loud'; "
        "expected one of debug, info, warning, error"
    )
    configured.file.write_text("")
    assert configured.rejected() == "TMF_SALES_API_KEYS was removed, which needs a restart"

    assert configured.statuses("old-key") == {200}
    assert configured.statuses("new-key") == {401}
    assert configured.prices("old-key") == {10}


def test_a_reload_cannot_turn_authentication_on(tmp_path: Path) -> None:
    file, keys = tmp_path / "sales.toml", tmp_path / "keys.yaml"
    file.write_text("")
    keys.write_text("[]")
    with start_service(tmp_path / "log", "--store", "memory:", "--config", str(file)) as service:
        file.write_text(f"api_keys = '{keys}'")
        os.kill(service.process.pid, signal.SIGHUP)
        end = time.monotonic() + PATIENCE
        while "not reloaded: authentication was turned on, which needs a restart" not in service.log.read_text():
            assert time.monotonic() < end

        assert httpx.get(service.url + QUOTES).status_code == 200


def test_a_delivery_worker_reloads_its_log_and_its_policy(tmp_path: Path) -> None:
    file, policy, log = tmp_path / "sales.toml", tmp_path / "policy.yaml", tmp_path / "log"
    file.write_text(f"store = 'sqlite:{tmp_path}/store.sqlite'")
    with start_service(tmp_path / "serve.log", "--config", str(file), "--no-delivery"):
        pass  # makes the store
    command = [sys.executable, "-m", "tmf_sales", "deliver", "--config", str(file)]
    with log.open("wb") as errors:
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
    try:
        assert "delivers events" in first_line(worker)
        for content, said in [
            ("log_level = 'info'\n", "the settings are reloaded"),
            (f"policy = '{policy}'\n", "the settings are not reloaded: policy policy.yaml: expected a list of rows"),
        ]:
            policy.write_text("[]")
            file.write_text(content + f"store = 'sqlite:{tmp_path}/store.sqlite'")
            worker.send_signal(signal.SIGHUP)
            end = time.monotonic() + PATIENCE
            while said not in log.read_text():
                assert time.monotonic() < end, log.read_text()
        worker.terminate()
        assert worker.wait(PATIENCE) == 0
    finally:
        let_go(worker)
