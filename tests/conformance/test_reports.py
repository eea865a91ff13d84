"""The reports: what a server says is text in them and nothing more, and no credential is in any."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.conformance.service_under_test import APIS, checks_of

from tmf_conformance import __version__
from tmf_conformance.interaction import HIDDEN, Interaction, Secrets
from tmf_conformance.outcome import Verdict
from tmf_conformance.profile import TMF648B
from tmf_conformance.reports.files import write_reports
from tmf_conformance.reports.html_report import as_html
from tmf_conformance.reports.json_report import as_json
from tmf_conformance.reports.junit_report import as_junit
from tmf_conformance.reports.terminal import report_lines
from tmf_conformance.reports.totals import conclusion, sentence
from tmf_conformance.run import Report, Result
from tmf_conformance.source import Kind

API = APIS["tmf648"]
CHECKS = checks_of(API)
EVIL = "<script>alert(1)</script> \x1b[31m\x00 ]]> \" ' & \ud800 </pre>"
CREDENTIAL = "s3cr3t-token"


def result(kind: Kind, verdict: Verdict, reason: str = "", **texts: str) -> Result:
    check = next(each for each in CHECKS if each.kind is kind or kind is Kind.OPTIONAL)
    return Result(check, kind, verdict, reason, seconds=0.01, **texts)


def report(*results: Result, **facts: object) -> Report:
    return Report(API, "http://127.0.0.1:8080/v4", results=list(results), started=0.0, **facts)  # type: ignore[arg-type]


FAILED = result(Kind.MANDATORY, Verdict.FAILED, EVIL, request=EVIL, response=EVIL)
WARNED = result(Kind.ADVICE, Verdict.FAILED, "a hint")
PASSED = result(Kind.MANDATORY, Verdict.PASSED)
UNSUPPORTED = result(Kind.ADVICE, Verdict.NOT_SUPPORTED, "optional")
NOT_RUN = result(Kind.ADVICE, Verdict.NOT_RUN, "no listener")
ALL = (FAILED, WARNED, PASSED, UNSUPPORTED, NOT_RUN)


class Tags(HTMLParser):
    """The tags of a page, with their attributes, and whether they are closed in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    tags = Tags(as_html(report(*ALL)))

    assert tags.open == []
    assert not {tag for tag, _ in tags.seen} & {"script", "link", "img", "iframe", "object", "form"}
    assert all(not (attributes.get("href") or "#").partition("#")[0] for _, attributes in tags.seen)
    assert not any("src" in attributes for _, attributes in tags.seen)


def test_what_a_server_says_is_text_on_the_page() -> None:
    page = as_html(report(*ALL))

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_page_has_the_totals_of_each_chapter() -> None:
    page = as_html(report(*ALL))

    assert re.search(r'API operations</a></td>\n<td class="number good">1</td>\n<td class="number bad">1</td>', page)


def test_junit_can_be_read_and_tells_failures_from_advice() -> None:
    root = ET.fromstring(as_junit(report(*ALL)).encode("utf-8", "replace"))  # noqa: S314 - our own

    assert len(root.findall("testsuite/testcase")) == 5
    assert len(root.findall("testsuite/testcase/failure")) == 1
    assert len(root.findall("testsuite/testcase/skipped")) == 3
    assert sum(int(suite.get("failures", "")) for suite in root) == 1


def test_json_has_every_result() -> None:
    found = json.loads(as_json(report(*ALL, remaining=["http://host/quote/1"])))

    assert found["conforms"] is False
    assert found["totals"] == {"passed": 1, "failed": 2, "not supported": 1, "not run": 1}
    assert [each["result"] for each in found["checks"]] == [each.verdict for each in ALL]
    assert found["checks"][0]["reason"] == EVIL
    assert "reason" not in found["checks"][2]
    assert found["couldNotBeRemoved"] == ["http://host/quote/1"]


def test_the_terminal_gets_no_control_characters() -> None:
    lines = list(report_lines(report(*ALL, remaining=[EVIL])))

    assert any("<script>" in line for line in lines)
    assert not [line for line in lines if "\x1b[31m\x00" in line or "\x00" in line]


def test_the_terminal_shows_the_rule_the_expectation_and_the_answer() -> None:
    text = "\n".join(
        report_lines(report(result(Kind.MANDATORY, Verdict.FAILED, "status 201", request="POST x", response="200")))
    )

    for part in ("FAILED", "rule: ", "expected:  status 201", "request:   POST x", "response:  200"):
        assert part in text


def test_quiet_leaves_out_what_passed() -> None:
    text = "\n".join(report_lines(report(PASSED, WARNED), quiet=True))

    assert WARNED.check.id in text
    assert PASSED.check.id not in text


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (report(PASSED, WARNED, UNSUPPORTED), "No mandatory check of"),
        (report(PASSED, FAILED), "does not conform"),
        (report(WARNED, NOT_RUN), "No conclusion about"),
        (report(PASSED, interrupted=True), "Interrupted"),
    ],
    ids=["advice only", "failed", "nothing", "interrupted"],
)
def test_the_conclusion_says_no_more_than_is_known(found: Report, said: str) -> None:
    assert said in conclusion(found)


def test_the_conclusion_names_profile_tool_server_and_time() -> None:
    said = conclusion(report(PASSED, profile=TMF648B))

    for part in (
        "profile tmf648b",
        f"tmf-conformance {__version__}",
        "http://127.0.0.1:8080/v4",
        "1970-01-01T00:00:00Z",
    ):
        assert part in said


@pytest.mark.parametrize("form", [as_html, as_json, as_junit], ids=lambda form: str(form.__name__))
def test_every_report_names_profile_tool_server_and_time(form: Callable[[Report], str]) -> None:
    text = form(report(PASSED, profile=TMF648B))

    for part in ("tmf648b", __version__, "http://127.0.0.1:8080/v4", "1970-01-01T00:00:00Z"):
        assert part in text


def test_an_optional_failure_does_not_break_conformance_and_is_reported() -> None:
    failed = result(Kind.OPTIONAL, Verdict.FAILED, "status 200")

    assert report(PASSED, failed).conforms
    assert "Failed optional checks: 1." in conclusion(report(PASSED, failed))


def test_a_hint_is_in_the_terminal_and_in_the_files() -> None:
    found = report(PASSED, hints=["Use --sample FILE."])

    assert "Use --sample FILE." in "\n".join(report_lines(found))
    assert "Use --sample FILE." in as_html(found)
    assert json.loads(as_json(found))["hints"] == ["Use --sample FILE."]


def test_the_totals_are_one_sentence() -> None:
    assert sentence(report(*ALL, seconds=1.25)) == (
        "1 passed, 2 failed (1 mandatory), 1 not supported, 1 not run, of 5 checks in 1.2 s"
    )


def test_only_a_mandatory_failure_breaks_conformance() -> None:
    assert report(PASSED, WARNED, UNSUPPORTED, NOT_RUN).conforms
    assert not report(PASSED, FAILED).conforms


def test_the_files_are_written(tmp_path: Path) -> None:
    paths = list(write_reports(report(*ALL), tmp_path))

    assert sorted(path.name for path in paths) == ["junit.xml", "report.html", "report.json"]
    assert all(path.stat().st_size > 500 for path in paths)


def test_a_credential_that_the_server_repeats_is_not_shown() -> None:
    interaction = Interaction(
        "GET",
        f"http://host/?token={CREDENTIAL}",
        [("Accept", "application/json")],
        f'{{"note": "{CREDENTIAL}"}}',
        Secrets.of({"Authorization": f"Bearer {CREDENTIAL}"}),
        status=200,
        headers={"x-echo": CREDENTIAL},
        content=f'"Bearer {CREDENTIAL}"'.encode(),
    )

    shown = interaction.request_text() + interaction.response_text()
    assert CREDENTIAL not in shown
    assert shown.count(HIDDEN) >= 4


def test_a_long_body_is_cut() -> None:
    interaction = Interaction("GET", "http://host/", [], "", status=200, content=b"x" * 10_000)

    assert "... 6000 more characters" in interaction.response_text()
