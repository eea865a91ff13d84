"""A reload puts everything into force or nothing, and says in one line what was wrong."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

import pytest

from tmf_sales.configuration.names import InvalidSettings
from tmf_sales.configuration.reloading import Reloading
from tmf_sales.configuration.settings import Settings

STARTED = Settings()


class Part:
    """Something that a reload replaces; a text in `fault` makes it invalid."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.in_force: Settings | None = None

    def prepare(self, settings: Settings) -> Callable[[], None]:
        if self.fault is not None:
            raise self.fault

        def replace() -> None:
            self.in_force = settings

        return replace


def reloading(settings: Settings, *parts: Part) -> Reloading:
    made = Reloading(lambda: settings, STARTED)
    for part in parts:
        made.add(part.prepare)
    return made


@pytest.fixture(autouse=True)
def _log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tmf_sales")


def test_every_part_gets_the_new_settings(caplog: pytest.LogCaptureFixture) -> None:
    parts, new = (Part(), Part()), dataclasses.replace(STARTED, log_level="info")

    assert reloading(new, *parts).reload()

    assert [part.in_force for part in parts] == [new, new]
    assert caplog.messages == ["the settings are reloaded"]


@pytest.mark.parametrize("fault", [InvalidSettings("port is 'x';\n expected a number\nhost is ''"), ValueError("a\nb")])
def test_one_invalid_part_keeps_all_as_they_are(caplog: pytest.LogCaptureFixture, fault: Exception) -> None:
    parts = (Part(), Part(fault), Part())

    assert not reloading(STARTED, *parts).reload()

    assert [part.in_force for part in parts] == [None, None, None]
    assert caplog.messages == ["the settings are not reloaded: " + "; ".join(map(str.strip, str(fault).splitlines()))]


def test_a_defect_keeps_all_as_it_is_and_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    parts = (Part(), Part(ZeroDivisionError()))

    assert not reloading(STARTED, *parts).reload()

    assert parts[0].in_force is None
    assert [(record.getMessage(), record.exc_info is not None) for record in caplog.records] == [
        ("the settings are not reloaded", True)
    ]


def test_changes_that_a_reload_does_not_make_are_named(caplog: pytest.LogCaptureFixture) -> None:
    new = dataclasses.replace(STARTED, port=1, webhook_secret="whsec_x", log_format="json")  # noqa: S106 - of a test

    assert reloading(new).reload()

    assert caplog.messages[1:] == [
        "a reload does not change TMF_SALES_PORT, TMF_SALES_WEBHOOK_SECRET; start the service again"
    ]


async def test_in_an_event_loop_reloads_follow_each_other() -> None:
    part = Part()
    made = reloading(STARTED, part)

    made.begin()
    await made.reload_in_background()

    assert part.in_force == STARTED
    part.fault = ValueError("invalid")
    await made.reload_in_background()
    assert part.in_force == STARTED
