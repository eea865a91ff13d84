"""The master of several workers ends in order when none can start; each worker serves as the only one would."""

import logging
import socket
from types import SimpleNamespace

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.errors import HaltServer

from tmf_sales.configuration.settings import Settings
from tmf_sales.server.several_workers import Master, Worker, Workers, run

LONGEST_OF_GATEWAYS = 60  # seconds that nginx and AWS keep an idle connection to a server


@pytest.fixture
def master(monkeypatch: pytest.MonkeyPatch) -> Master:
    """One whose workers all say that they could not boot, each time it looks."""

    def nobody_boots(_self: Arbiter) -> None:
        raise HaltServer("Worker failed to boot.", Arbiter.WORKER_BOOT_ERROR)

    monkeypatch.setattr(Arbiter, "reap_workers", nobody_boots)
    monkeypatch.setattr(Arbiter, "stop", lambda self, _graceful: self.reap_workers())
    made: Master = Master.__new__(Master)
    return made


def test_the_first_worker_that_cannot_boot_ends_the_service(master: Master) -> None:
    with pytest.raises(HaltServer):
        master.reap_workers()


def test_further_ones_do_not_interrupt_that_end(master: Master) -> None:
    master.stop()


def test_a_worker_keeps_idle_connections_longer_than_clients_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("uvicorn.error", "uvicorn.access"):  # a worker changes them
        for changed in ("handlers", "level", "propagate"):
            monkeypatch.setattr(logging.getLogger(name), changed, getattr(logging.getLogger(name), changed))
    log = SimpleNamespace(error_log=logging.getLogger("test"), access_log=logging.getLogger("test"))

    worker = Worker(1, 1, [], None, 15, Config(), log)
    worker.tmp.close()

    assert worker.config.timeout_keep_alive > LONGEST_OF_GATEWAYS


def test_several_workers_log_from_the_level_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Workers] = []
    monkeypatch.setattr(Workers, "run", lambda self: started.append(self))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        run(object, Settings(store="memory:", workers=2, log_level="error"), [listener], lambda: None)

    [workers] = started
    for reserved in workers.reserved:
        reserved.close()
    assert workers.cfg.loglevel == "error"
