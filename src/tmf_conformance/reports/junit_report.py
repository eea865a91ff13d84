"""Renders the report as JUnit XML for build servers; only failures that change the exit code count as failures."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from tmf_conformance.outcome import Verdict
from tmf_conformance.reports.totals import by_chapter, moment, provenance
from tmf_conformance.run import Report, Result


def as_junit(report: Report) -> str:
    root = Element(
        "testsuites",
        name=xml_text(f"{report.api.title} at {report.url} ({provenance(report)})"),
        time=f"{report.seconds:.3f}",
    )
    for chapter, results in by_chapter(report).items():
        failures = sum(result.breaks_conformance for result in results)
        skipped = sum(is_skipped(result) for result in results)
        suite = SubElement(
            root,
            "testsuite",
            name=chapter,
            tests=str(len(results)),
            failures=str(failures),
            errors="0",
            skipped=str(skipped),
            time=f"{sum(result.seconds for result in results):.3f}",
            timestamp=moment(report.started).removesuffix("Z"),
        )
        for result in results:
            suite.append(case(report, result))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def is_skipped(result: Result) -> bool:
    return result.verdict is not Verdict.PASSED and not result.breaks_conformance


def case(report: Report, result: Result) -> Element:
    check = result.check
    name = f"{check.id}: {check.title}"
    found = Element("testcase", classname=f"{report.api.name}.{result.kind}", name=name, time=f"{result.seconds:.3f}")
    reason = xml_text(f"{result.verdict}: {result.reason}")
    if result.breaks_conformance:
        failure = SubElement(found, "failure", message=xml_text(f"expected: {result.reason}"), type=check.id)
        failure.text = xml_text(
            f"rule ({check.source.chapter}): {check.source.text}\n\n{result.request}\n\n{result.response}"
        )
    elif is_skipped(result):
        SubElement(found, "skipped", message=reason)
    return found


def xml_text(text: str) -> str:
    """Remove the characters that XML 1.0 cannot represent."""
    return "".join(
        each
        if each in "\t\n" or " " <= each < "\ud800" or "\ue000" <= each <= "\ufffd" or each > "\uffff"
        else "\ufffd"
        for each in text
    )
