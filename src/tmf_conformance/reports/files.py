"""Writes the files report.html, report.json and junit.xml; each one has the complete report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tmf_conformance.reports.html_report import as_html
from tmf_conformance.reports.json_report import as_json
from tmf_conformance.reports.junit_report import as_junit
from tmf_conformance.run import Report

FORMS = {"report.html": as_html, "report.json": as_json, "junit.xml": as_junit}


def write_reports(report: Report, folder: Path) -> Iterator[Path]:
    for name, form in FORMS.items():
        path = folder / name
        path.write_text(form(report), encoding="utf-8", errors="backslashreplace")
        yield path
