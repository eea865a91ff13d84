"""The master of several workers ends in order when none of them can start."""

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from tmf_sales.cli.several_workers import Master


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
