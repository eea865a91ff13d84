"""The command line: what it says of itself, what it refuses in one line, and with which exit code it ends."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import signal
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

import tmf_sales
from tmf_sales.cli import main
from tmf_sales.cli.long_running import listen, reloading_of
from tmf_sales.cli.serve import announcement
from tmf_sales.configuration.settings import Settings

# The command stands before the module of the same name.
serving = importlib.import_module("tmf_sales.cli.serve")


def run(*arguments: str, environ: dict[str, str | None] | None = None) -> Result:
    return CliRunner().invoke(main, arguments, env=environ)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in dataclasses.fields(Settings):
        monkeypatch.delenv(f"TMF_SALES_{field.name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in main.commands)])
def test_every_command_explains_itself(arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_the_version_is_printed() -> None:
    assert tmf_sales.__version__ in run("--version").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "x"], "Error: --port is 'x'; expected a whole number from 0 to 65535"),
        (["--host", "0.0.0.0"], "allow it with --allow-anonymous"),  # noqa: S104
        (["--store", "memory:", "--workers", "2"], "cannot be shared by 2 workers"),
        (["--store", "mongo://user:hunter2@db"], "--store is 'mongo://***@db'; expected mongodb://HOST/DATABASE"),
    ],
)
def test_serve_refuses_a_bad_setting_in_one_line(arguments: list[str], said: str) -> None:
    result = run("serve", *arguments)

    assert result.exit_code == 2
    assert said in result.output
    assert len(result.output.splitlines()) == 1


def test_a_bad_variable_is_refused_like_an_option() -> None:
    result = run("serve", environ={"TMF_SALES_PORT": "x"})

    assert result.exit_code == 2
    assert result.output == "Error: TMF_SALES_PORT is 'x'; expected a whole number from 0 to 65535\n"


def test_a_misspelt_variable_stops_the_start() -> None:
    result = run("serve", environ={"TMF_SALES_STROE": "memory:"})

    assert result.exit_code == 2
    assert result.output == "Error: TMF_SALES_STROE is not a setting; did you mean TMF_SALES_STORE?\n"


def test_a_working_directory_that_was_removed_is_reported_in_one_line(tmp_path: Path) -> None:
    tmp_path.rmdir()

    result = run("serve", "--store", "memory:")

    assert result.exit_code == 2
    assert result.output == "Error: the working directory is not there any more; start in one that is\n"


def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))

    assert result.exit_code == 2
    assert result.output == f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_a_host_that_does_not_resolve_is_refused_in_one_line() -> None:
    result = run("serve", "--host", "no-such-host.invalid", "--allow-anonymous")

    assert result.exit_code == 2
    assert result.output.startswith("Error: cannot listen on no-such-host.invalid port 8080: ")
    assert len(result.output.splitlines()) == 1


def test_a_price_book_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    book = tmp_path / "prices.yaml"
    book.write_text("- nonsense")

    result = run("serve", "--port", "0", "--store", "memory:", "--price-book", str(book))

    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert len(result.output.splitlines()) == 1


def test_port_0_lets_the_system_choose() -> None:
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as other:
        assert one.getsockname()[1] != other.getsockname()[1]


def test_what_is_announced_is_what_is_bound_and_shows_no_password() -> None:
    settings = Settings(host="::1", port=9, public_url="https://api.example.com", store="mongodb://me:hunter2@db/sales")

    assert announcement(settings) == (
        f"tmf-sales {tmf_sales.__version__} serves http://[::1]:9 (store mongodb://***@db/sales, standard mode)"
    )


def test_serve_runs_one_worker_or_several(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, int]] = []

    def note(how: str) -> None:
        def run_so(_make: object, settings: Settings, listeners: Sequence[socket.socket], *_: object) -> None:
            listeners[0].close()
            ran.append((how, settings.workers))

        monkeypatch.setattr(serving, how, run_so)

    note("run_one")
    note("run_several")
    run("serve", "--port", "0")
    run("serve", "--port", "0", "--workers", "3")

    assert ran == [("run_one", 1), ("run_several", 3)]


def test_a_reload_checks_the_settings_of_rules_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TMF_SALES_VALIDITY", "soon")
    monkeypatch.setenv("TMF_SALES_LOG_LEVEL", "error")
    before = logging.getLogger("tmf_sales").level

    assert not reloading_of({}, Settings()).reload()

    assert "the settings are not reloaded: TMF_SALES_VALIDITY is 'soon'" in caplog.text
    assert logging.getLogger("tmf_sales").level == before


def test_listening_beyond_loopback_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "run_one", lambda _make, _settings, listeners, *_: listeners[0].close())

    result = run("serve", "--port", "0", "--host", "0.0.0.0", "--allow-anonymous")  # noqa: S104

    assert result.exit_code == 0
    assert "authentication is off" in result.output


@pytest.mark.parametrize(("api", "title"), [("tmf648", "Quote Management"), ("tmf699", "Sales Management")])
def test_contract_prints_the_file_as_written(api: str, title: str) -> None:
    result = run("contract", "--api", api)

    assert result.exit_code == 0
    assert result.output.startswith("#")
    assert yaml.safe_load(result.output)["info"]["title"] == title


@pytest.mark.parametrize("profile", ["plain", "client", "gateway"])
def test_contract_names_the_server_that_clients_reach(profile: str) -> None:
    command = ("contract", "--api", "tmf648", "--profile", profile, "--format", "json")

    relative = run(*command)
    absolute = run(*command, "--server", "https://api.example.com/sales/")

    without, document = yaml.safe_load(relative.stdout), yaml.safe_load(absolute.stdout)
    assert document["servers"][0]["url"] == "https://api.example.com/sales/tmf-api/quoteManagement/v4"
    assert {**document, "servers": without["servers"]} == without
    assert ("name the public URL with --server" in relative.stderr) == (profile != "plain")
    assert absolute.stderr == ""


def test_contract_names_the_public_url_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMF_SALES_PUBLIC_URL", "https://api.example.com")
    command = ("contract", "--api", "tmf699")

    printed = run(*command, "--profile", "gateway")
    named = run(*command, "--profile", "gateway", "--server", "https://other.example.com")
    written = run(*command)

    servers = [yaml.safe_load(each.stdout)["servers"][0]["url"] for each in (printed, named, written)]
    assert servers == [
        "https://api.example.com/tmf-api/sales/v4",
        "https://other.example.com/tmf-api/sales/v4",
        "/tmf-api/sales/v4",
    ]
    assert printed.stderr == ""


@pytest.mark.parametrize("server", ["", "api.example.com", "https://api.example.com/?a=b", 'https://a.example/"'])
def test_contract_rejects_a_server_that_is_no_url(server: str) -> None:
    result = run("contract", "--api", "tmf648", "--server", server)

    assert result.exit_code == 2
    assert "; expected an absolute http or https URL without query" in result.output


def test_contract_refuses_an_api_that_is_not_there() -> None:
    result = run("contract", "--api", "tmf000")

    assert result.exit_code == 2
    assert result.output == "Error: no API is called 'tmf000'; expected one of tmf648, tmf699\n"


@pytest.mark.parametrize(
    "command",
    [["deliver"], ["export", "all.jsonl"], ["events", "list"], ["listeners", "list"], ["audit", "--id", "1"]],
)
def test_a_store_that_is_not_there_is_reported_and_not_made(tmp_path: Path, command: list[str]) -> None:
    result = run(*command, "--store", "sqlite:misspelt.sqlite")

    assert result.exit_code == 2
    assert "there is no store misspelt.sqlite" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("store", ["memory:", "sqlite:here.sqlite"])
def test_check_says_what_it_found(store: str) -> None:
    Path("here.sqlite").touch()  # an empty file is an empty store
    result = run("check", "--store", store)

    assert result.exit_code == 0, result.output
    assert "BAD" not in result.output
    assert f"ok   settings: store {store}, standard mode" in result.output
    assert "ok   contract: tmf699-sales-v4.yaml is OpenAPI 3.0" in result.output
    assert f"ok   store: {store} holds 0 tmf699/salesLead" in result.output


def test_check_before_the_first_start_finds_no_store_and_makes_none(tmp_path: Path) -> None:
    result = run("check", "--store", "sqlite:new.sqlite")

    assert result.exit_code == 0, result.output
    assert "ok   store: no store yet at sqlite:new.sqlite" in result.output
    assert list(tmp_path.iterdir()) == []


def test_check_fails_on_a_bad_setting() -> None:
    result = run("check", environ={"TMF_SALES_PORT": "x", "TMF_SALES_WORKERS": "x"})

    assert result.exit_code == 1
    assert [line.partition(" is ")[0] for line in result.output.splitlines()] == [
        "BAD  settings: TMF_SALES_PORT",
        "BAD  settings: TMF_SALES_WORKERS",
    ]


def test_check_fails_on_a_misspelt_setting() -> None:
    result = run("check", "--store", "memory:", environ={"TMF_SALES_STROE": "memory:"})

    assert result.exit_code == 1
    assert "BAD  settings: TMF_SALES_STROE is not a setting" in result.output


def test_check_fails_on_a_store_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "broken.sqlite").write_text("this is no database, and it is long enough to be seen as none" * 50)

    result = run("check", "--store", "sqlite:broken.sqlite")

    assert result.exit_code == 1
    assert "BAD  store: " in result.output
    assert "Traceback" not in result.output
