"""The command line: exit codes, refusals in one line, credentials, reports, and what is left after an interruption."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from tests.conformance import hostile
from tests.conformance.mutant import RIGHT
from tests.conformance.mutants import mutants_of
from tests.conformance.mutations import answer, drop, refused, request
from tests.conformance.service_under_test import APIS, BASES, ServiceUnderTest

from tmf_sales.cli import main

CREDENTIAL = "s3cr3t-token-0815"
PATIENCE = 60


def conformance(*options: str) -> Result:
    return CliRunner().invoke(main, ["conformance", "--timeout", str(PATIENCE), *options])


@pytest.fixture
def quotes(service: ServiceUnderTest) -> str:
    """The base path of a service that is right."""
    service.wrapped.become(RIGHT)
    service.wrapped.base, service.wrapped.resource = BASES["tmf648"], "quote"
    return f"{service.url}{BASES['tmf648']}"


def test_a_part_of_the_checks_is_run(quotes: str) -> None:
    outcome = conformance("--url", f"{quotes}/", "--only", "create-answers")

    assert outcome.exit_code == 0, outcome.output
    assert "create-answers-201" in outcome.output
    assert "1 passed, 0 failed, of 1 checks" in outcome.output


def test_a_mandatory_failure_is_exit_code_1(service: ServiceUnderTest, quotes: str) -> None:
    service.wrapped.become(mutants_of(APIS["tmf648"])["create-answers-201"])

    outcome = conformance("--url", quotes, "--only", "create-answers-201")

    assert outcome.exit_code == 1
    assert "If resource is created code 201 is send back." in outcome.output
    assert "expected:  status 201" in outcome.output


def test_failed_advice_is_exit_code_0(service: ServiceUnderTest, quotes: str) -> None:
    service.wrapped.become(mutants_of(APIS["tmf648"])["create-location"])

    outcome = conformance("--url", quotes, "--only", "create-location", "--only", "create-answers")

    assert outcome.exit_code == 0
    assert "FAILED        advice    create-location " in outcome.output
    assert "not run       advice    create-location-is-href" in outcome.output


def test_what_the_specification_leaves_open_is_not_supported(service: ServiceUnderTest, quotes: str) -> None:
    def is_json_patch(call: object, _: object) -> bool:
        return "json-patch" in getattr(call, "headers", {}).get("content-type", "")

    service.wrapped.become(request("PATCH one", refused(415), is_json_patch))

    outcome = conformance("--url", quotes, "--only", "json-patch")

    assert outcome.exit_code == 0
    assert "0 passed, 0 failed, 9 not supported, of 9 checks" in outcome.output


def test_delivery_is_not_run_without_a_listener(quotes: str) -> None:
    outcome = conformance("--url", quotes, "--only", "event-")

    assert outcome.exit_code == 0
    assert "12 not run" in outcome.output.replace("13 not run", "12 not run")
    assert "--listen and --callback-url" in outcome.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Missing option '--url'"),
        (("--url", "host/quote"), "--url is not the base path"),
        (("--url", "ftp://host/quote"), "--url is not the base path"),
        (("--url", "http://host/quote?x=1"), "--url is not the base path"),
        (("--url", "http://[host/quote"), "--url is not the base path"),
        (("--url", "http://127.0.0.1:99999/quote"), "--url is not the base path"),
        (("--url", "http://127.0.0.1:1/tmf-api/other/v4"), "--url does not say which API it is; expected --api tmf648"),
        (("--url", "http://127.0.0.1:1/quote", "--api", "tmf999"), "tmf999"),
        (("--url", "http://127.0.0.1:1/quote", "--header", f"no colon {CREDENTIAL}"), "--header is not of the form"),
        (("--url", "http://127.0.0.1:1/quote", "--header", f"A: b\r\nX: {CREDENTIAL}"), "--header is not of the form"),
        (("--url", "http://127.0.0.1:1/quote", "--listen", "127.0.0.1:0"), "belong together"),
        (("--url", "http://127.0.0.1:1/quote", "--callback-url", "http://h/"), "belong together"),
        (
            ("--url", "http://127.0.0.1:1/quote", "--listen", "nowhere", "--callback-url", "http://h/"),
            "--listen is not an address",
        ),
        (
            ("--url", "http://127.0.0.1:1/quote", "--listen", "192.0.2.1:9", "--callback-url", "http://h/"),
            "cannot listen on 192.0.2.1:9",
        ),
        (("--url", "http://127.0.0.1:1/quote", "--only", "nothing"), "no check of tmf648 has an id"),
        (("--url", "http://127.0.0.1:1/quote", "--sample", "/does/not/exist"), "--sample cannot be read"),
        (("--url", "http://127.0.0.1:1/quote", "--report", "/dev/null/x"), "--report cannot be written"),
        (("--url", "http://127.0.0.1:1/quote"), "http://127.0.0.1:1 cannot be reached: no response"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_what_cannot_be_done_is_refused_in_one_line(options: tuple[str, ...], said: str) -> None:
    outcome = conformance(*options)

    assert outcome.exit_code == 2
    assert said in outcome.output
    assert CREDENTIAL not in outcome.output
    assert "Traceback" not in outcome.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "--sample is not a JSON object"),
        ("{", "--sample is not a JSON object"),
        ('{"quoteItem": []}', "--sample has a quoteItem that is not an array of items"),
        ('{"quoteItem": ["x"]}', "--sample has a quoteItem that is not an array of items"),
    ],
)
def test_a_sample_that_cannot_be_sent_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "sample.json").write_text(text)

    outcome = conformance("--url", "http://127.0.0.1:1/quote", "--sample", str(tmp_path / "sample.json"))

    assert (outcome.exit_code, said in outcome.output) == (2, True)


def test_a_server_that_needs_credentials_is_reported_at_once() -> None:
    with hostile.hostile(hostile.says(b"{}", 401)) as url:
        outcome = conformance("--url", f"{url}/quote")

    assert (outcome.exit_code, "pass others with --header" in outcome.output) == (2, True)


def test_a_redirect_is_shown_and_not_followed() -> None:
    with hostile.hostile(hostile.says(b"", 307, location="http://elsewhere.invalid/")) as url:
        outcome = conformance("--url", f"{url}/quote", "--only", "list-answers", "--only", "create-answers")

    assert outcome.exit_code == 1
    assert "response:  307 location: http://elsewhere.invalid/" in outcome.output


def test_a_sample_is_in_everything_that_is_created(tmp_path: Path, service: ServiceUnderTest, quotes: str) -> None:
    (tmp_path / "sample.json").write_text('{"category": "from the sample"}')

    outcome = conformance("--url", quotes, "--only", "create-answers", "--sample", str(tmp_path / "sample.json"))

    assert outcome.exit_code == 0
    assert service.wrapped.memory.bodies[0]["category"] == "from the sample"


def test_credentials_are_sent_and_are_in_no_report(tmp_path: Path) -> None:
    seen = set()

    def repeats(handler: hostile.Handler) -> None:
        seen.add((handler.headers.get("authorization"), handler.headers.get("x-api-key")))
        handler.send(400, json.dumps(dict(handler.headers)).encode(), x_echo=handler.headers["authorization"])

    headers = ("--header", f"Authorization: Bearer {CREDENTIAL}", "--header", 'X-API-Key: other"secret')
    with hostile.hostile(repeats) as url:
        target = ("--url", url.replace("http://", "http://anna:pass-w0rd@") + "/quote")
        outcome = conformance(*target, *headers, "--report", str(tmp_path), "--only", "create-")

    assert outcome.exit_code == 1
    assert seen == {(f"Bearer {CREDENTIAL}", 'other"secret')}
    for text in (outcome.output, *(path.read_text() for path in tmp_path.iterdir())):
        assert CREDENTIAL not in text
        assert "secret" not in text.replace("Secret", "")
        assert "pass-w0rd" not in text
        assert "anna" not in text


def test_a_login_in_the_url_is_sent_and_not_shown() -> None:
    seen = set()

    def repeats(handler: hostile.Handler) -> None:
        seen.add(handler.headers.get("authorization"))
        handler.send(400, json.dumps(dict(handler.headers)).encode())

    with hostile.hostile(repeats) as url:
        target = url.replace("http://", "http://anna:p%40ss-w0rd@") + "/quote"
        outcome = conformance("--url", target, "--only", "create-")

    assert seen == {"Basic YW5uYTpwQHNzLXcwcmQ="}
    for text in ("YW5uYTpwQHNzLXcwcmQ=", "ss-w0rd", "anna"):
        assert text not in outcome.output


def test_reports_are_written(tmp_path: Path, quotes: str) -> None:
    folder = tmp_path / "new" / "folder"

    outcome = conformance("--url", quotes, "--only", "create-answers", "--report", str(folder))

    assert outcome.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["junit.xml", "report.html", "report.json"]
    assert f"written: {folder}/report.html" in outcome.output


def test_nothing_is_left_on_the_server(service: ServiceUnderTest, quotes: str) -> None:
    """Although checks fail on the way."""
    service.wrapped.become(answer("GET one", drop("id")))

    conformance("--url", quotes, "--only", "retrieve-", "--only", "patch", "--only", "hub-")

    service.wrapped.become(RIGHT)
    assert httpx.get(f"{quotes}/quote").json() == []
    assert httpx.get(f"{quotes}/hub").json() == []


def test_what_cannot_be_removed_is_reported(service: ServiceUnderTest, quotes: str) -> None:
    service.wrapped.become(request("DELETE one", refused(403)))

    outcome = conformance("--url", quotes, "--only", "create-answers-201")

    service.wrapped.become(RIGHT)
    left = httpx.get(f"{quotes}/quote").json()
    assert "Could not be removed:" in outcome.output
    assert all(f"{quotes}/quote/{each['id']}" in outcome.output for each in left)
    for each in left:
        httpx.delete(f"{quotes}/quote/{each['id']}")


@pytest.mark.parametrize("kind", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.full)])
def test_an_interrupted_run_cleans_up(kind: signal.Signals) -> None:
    """The server notes what is created and removed, and holds the third creation until the run is interrupted."""
    there: set[str] = set()
    made = 0
    run: subprocess.Popen[str] | None = None

    def keeps(handler: hostile.Handler) -> None:
        nonlocal made
        if handler.command == "POST":
            made += 1
            if made == 3:
                assert run is not None
                run.send_signal(kind)
                handler.server.ended.wait()
                return
            there.add(f"/quote/{made}")
            handler.send(201, b'{"id": "%d"}' % made)
        elif handler.command == "DELETE" and made < 3:
            handler.send(500, b"")  # not now
        elif handler.command == "DELETE":
            there.discard(handler.path)
            handler.send(204, b"")
        else:
            handler.send(200, b"[]")

    with hostile.hostile(keeps) as url:
        command = [sys.executable, "-m", "tmf_sales", "conformance", "--url", f"{url}/quote"]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        output, errors = run.communicate(timeout=PATIENCE)

    assert run.returncode == 130, errors
    assert "Traceback" not in errors
    assert "Interrupted" in output
    assert "possibly 1 whose creation got no response" in output
    assert there == set()
