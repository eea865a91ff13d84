"""The commands that look after events: what they print, and what they refuse in one line."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import threading
import time
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from click.testing import CliRunner, Result

from tmf_sales.app.context import Context
from tmf_sales.cli import context as opened_module
from tmf_sales.cli import main
from tmf_sales.cli.context import on_one_line, opened
from tmf_sales.cli.deliver import work
from tmf_sales.cli.listen import BODY_LIMIT, Receiver
from tmf_sales.configuration.loading import load_settings
from tmf_sales.configuration.settings import Settings
from tmf_sales.events.signing import Secret, read_secrets, signature_headers, written_secret
from tmf_sales.storage.events import AttemptRecord, FanOut, Step
from tmf_sales.storage.records import Change, Version

NOW = 1_700_000_000.0

# The command stands before the module of the same name.
events_module = importlib.import_module("tmf_sales.cli.events")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in dataclasses.fields(Settings):
        monkeypatch.delenv(f"TMF_SALES_{field.name.upper()}", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> str:
    (tmp_path / "events.sqlite").touch()  # an empty file is an empty store
    return f"sqlite:///{tmp_path}/events.sqlite"


def run(*arguments: str, store: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--store", store])


def on(store: str, work: Callable[[Context], Awaitable[Any]]) -> Any:
    async def open_and_work() -> Any:
        async with opened(load_settings({}, {"store": store})) as found:
            return await work(found)

    return asyncio.run(open_and_work())


def event(id: str, **members: object) -> dict[str, Any]:
    return {"eventId": id, "eventTime": "2026-01-02T03:04:05.678Z", "eventType": "SalesLeadCreateEvent", **members}


@pytest.fixture
def subscription(store: str) -> str:
    """A listener, two delivered events and what came of them; answers the listener's id."""

    async def fill(found: Context) -> str:
        id = (
            await found.hub.register("tmf699", "http://127.0.0.1:9000/", "eventType=SalesLeadCreateEvent")
        ).subscription.id
        change = Change(
            "tmf699/salesLead", "42", 0, (Version(1, {"id": "42"}),), (event("e1"), event("e2", note="\x1b[2J"))
        )
        await found.store.commit(change)
        fans = [FanOut(each, [id], [id]) for each in await found.events.not_fanned_out(10)]
        (delivery,) = await found.events.fan_out(fans, "me", NOW + 10, NOW)
        attempt = AttemptRecord(id, "e1", 4_000_000_000.0, 0.0125, None, "", "no answer in time")
        done = AttemptRecord(id, "e2", 4_000_000_001.0, 0.0125, 200, "fine\n", None)
        await found.events.record([Step(delivery, delivery.first, attempt=attempt)], "me", NOW + 10)
        await found.events.record([Step(delivery, delivery.last + "~", attempt=done)], "me", NOW + 10)
        return id

    return str(on(store, fill))


def test_events_are_listed(store: str, subscription: str) -> None:
    lines = run("events", "list", store=store).output.splitlines()

    assert [line.split("  ")[1:] for line in lines] == [
        ["SalesLeadCreateEvent", "tmf699/salesLead", "42", "revision 1", id] for id in ("e1", "e2")
    ]


def test_events_are_listed_as_json(store: str, subscription: str) -> None:
    lines = run("events", "list", "--json", "--since", "PT1H", store=store).output.splitlines()

    assert [orjson.loads(line)["eventId"] for line in lines] == ["e1", "e2"]


def test_events_before_a_time_are_not_listed(store: str, subscription: str) -> None:
    assert run("events", "list", "--since", "2999-01-01T00:00:00Z", store=store).output == "no events\n"


@pytest.mark.parametrize("since", ["soon", "2026-13-01T00:00:00Z", "1h"])
def test_a_time_that_is_none_is_refused(store: str, since: str) -> None:
    result = run("events", "list", "--since", since, store=store)

    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "expected a date-time" in result.output


def test_the_tail_shows_what_is_there_and_ends_with_ctrl_c(
    store: str, subscription: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(events_module, "asyncio", SimpleNamespace(sleep=interrupted))
    result = run("events", "tail", "--since", "PT1H", store=store)

    assert result.exit_code == 0
    assert [line.split("  ")[-1] for line in result.output.splitlines() if line] == ["e1", "e2"]
    assert run("events", "tail", store=store).output.strip() == ""


def test_a_replay_puts_events_back_into_their_lanes(store: str, subscription: str) -> None:
    result = run("events", "replay", "--listener", subscription, "--since", "PT1H", store=store)

    assert result.output == "2 events will be delivered again\n"
    assert "1 waiting" in run("listeners", "list", store=store).output


def test_a_replay_of_many_events_goes_in_batches(
    store: str, subscription: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "PAGE", 1)

    assert run("events", "replay", "--listener", subscription, "--since", "PT1H", store=store).output.startswith(
        "2 events"
    )


def test_a_replay_for_nobody_is_refused(store: str) -> None:
    result = run("events", "replay", "--listener", "nobody", "--since", "PT1H", store=store)

    assert result.exit_code == 1
    assert "no enabled subscription has the id 'nobody'" in result.output


def test_listeners_are_listed_with_their_state(store: str, subscription: str) -> None:
    def listed() -> str:
        return run("listeners", "list", store=store).output

    assert listed() == (
        f"{subscription}  tmf699  active  0 waiting  http://127.0.0.1:9000/  eventType=SalesLeadCreateEvent\n"
    )
    on(store, lambda found: found.hub.note_failure(subscription, NOW))
    assert "failing since 2023-11-14T22:13:20.000Z" in listed()
    on(store, lambda found: found.hub.disable(subscription, "it answered 410 Gone"))
    assert "disabled: it answered 410 Gone" in listed()

    assert run("listeners", "enable", subscription, store=store).output == f"listener {subscription} is enabled\n"
    assert "  active  " in listed()


def test_attempts_are_shown_the_newest_first_and_escaped(store: str, subscription: str) -> None:
    lines = run("listeners", "attempts", subscription, store=store).output.splitlines()

    assert lines == [
        "2096-10-02T07:06:41.000Z  e2  200  12.5 ms  fine\\n",
        "2096-10-02T07:06:40.000Z  e1  no answer in time  12.5 ms",
    ]


def test_a_listener_gets_a_new_secret(store: str, subscription: str) -> None:
    result = run("listeners", "rotate-secret", subscription, store=store)

    assert Secret(result.output.strip())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["enable", "nobody"], 1, "no subscription has the id 'nobody'"),
        (["attempts", "nobody"], 1, "no subscription has the id 'nobody'"),
        (["rotate-secret", "nobody"], 1, "no subscription has the id 'nobody'"),
        (["rotate-secret", "x", "--overlap", "soon"], 2, "--overlap is 'soon'"),
    ],
)
def test_what_cannot_be_done_for_a_listener_is_refused(store: str, arguments: list[str], code: int, said: str) -> None:
    result = run("listeners", *arguments, store=store)

    assert result.exit_code == code
    assert said in result.output


def test_a_store_that_does_not_answer_is_one_line() -> None:
    result = run("listeners", "list", store="sqlite:///nowhere/at/all.sqlite")

    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1


def test_a_store_of_one_process_cannot_be_delivered_from_another() -> None:
    result = run("deliver", store="memory:")

    assert result.exit_code == 2
    assert "expected a store that processes can share" in result.output


def test_a_bad_secret_is_refused_without_showing_it(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMF_SALES_WEBHOOK_SECRET", "hush")

    for arguments in (["deliver", "--store", store], ["listen", "--port", "0"]):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2
        assert "hush" not in result.output
        assert "expected whsec_" in result.output


def test_a_worker_ends_when_it_is_asked_to(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked_at_once(found: Context) -> None:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "add_signal_handler", lambda _number, end: loop.call_soon(end))
        await work({}, found)

    on(store, asked_at_once)


def test_an_unexpected_store_setting_is_refused() -> None:
    assert CliRunner().invoke(main, ["listeners", "list", "--store", "nonsense"]).exit_code == 2
    assert opened_module.shown_moment(NOW) == "2023-11-14T22:13:20.000Z"


@pytest.mark.parametrize(("value", "shown"), [(None, "-"), ("é b", "é b"), ("\x1b[2J\n", "\\x1b[2J\\n"), (7, "7")])
def test_text_from_outside_cannot_steer_the_terminal(value: object, shown: str) -> None:
    assert on_one_line(value) == shown


SECRET = written_secret(b"r" * 32)


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (
            orjson.dumps(event("e1", event={"salesLead": {"id": "1"}})),
            {},
            204,
            "salesLead 1  e1  revision -  signature",
        ),
        (orjson.dumps(event("e1")), {"resource-revision": "7"}, 204, "  e1  revision 7  signature good"),
        (b"{}", {"webhook-id": "other"}, 401, "SIGNATURE BAD"),
        (b"not json", {}, 204, "not an event: b'not json'"),
        (b"[]", {}, 204, "not an event"),
        (b'{"eventId":"e1","event":{"quote":{"state":"approved"}}}', {}, 204, 'quote {"state":"approved"}  e1'),
        (b'{"eventId":"e1"}', {}, 204, "-  -  e1"),
        (b'{"event": {"salesLead": 1}}', {}, 204, "not an event"),
    ],
)
def test_the_receiver_prints_what_comes(
    body: bytes, headers: dict[str, str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Receiver(("127.0.0.1", 0), read_secrets(SECRET), 204) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        signed = dict(signature_headers("e1", int(time.time()), body, read_secrets(SECRET)))
        answer = httpx.post(url, content=body, headers=signed | headers)
        refused = httpx.post(url, content=iter([b"chunked"]), headers=signed)
        client = HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
        client.request("POST", "/", headers={"Content-Length": str(BODY_LIMIT + 1)})
        oversized = client.getresponse()
        server.shutdown()
        thread.join()

    assert (answer.status_code, refused.status_code, oversized.status) == (status, 411, 413)
    assert said in capsys.readouterr().out


def test_a_receiver_without_a_secret_does_not_check() -> None:
    with Receiver(("127.0.0.1", 0), (), 204) as server:
        assert server.verdict({}, b"") == "signature not checked"


def test_a_port_that_is_taken_is_refused() -> None:
    with Receiver(("127.0.0.1", 0), (), 204) as server:
        result = CliRunner().invoke(main, ["listen", "--port", str(server.server_address[1])])

    assert result.exit_code == 2
    assert "cannot listen on 127.0.0.1" in result.output


def test_the_receiver_says_where_it_listens_and_ends_with_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_self: Receiver) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Receiver, "serve_forever", interrupted)
    result = CliRunner().invoke(main, ["listen", "--host", "::1", "--port", "0"])

    assert result.exit_code in {0, 2}  # a machine may be without IPv6
    assert result.output.startswith(("tmf-sales listens at http://[::1]:", "Error: cannot listen on ::1"))
    assert CliRunner().invoke(main, ["listen", "--port", "0"]).output.startswith("tmf-sales listens at http://127.0")
