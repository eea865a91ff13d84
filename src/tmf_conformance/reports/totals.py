"""Computes the totals of a report and its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from tmf_conformance import __version__
from tmf_conformance.outcome import Verdict
from tmf_conformance.run import Report, Result
from tmf_conformance.source import Kind


def by_chapter(report: Report) -> dict[str, list[Result]]:
    """Chapters of the specification first, then the advice; each in the order of its first check. All of an RFC is one
    chapter.
    """
    found: dict[str, list[Result]] = {}
    for result in sorted(report.results, key=lambda each: each.check.kind is Kind.ADVICE):
        found.setdefault(chapter_of(result), []).append(result)
    return found


def chapter_of(result: Result) -> str:
    chapter = result.check.source.chapter
    return chapter.partition(",")[0] if chapter.startswith("RFC ") else chapter


def counts(results: Iterable[Result]) -> Mapping[Verdict, int]:
    found = dict.fromkeys(Verdict, 0)
    for result in results:
        found[result.verdict] += 1
    return found


def sentence(report: Report) -> str:
    """The run in one line."""
    totals = counts(report.results)
    of_failed = f" ({report.count(Verdict.FAILED, Kind.MANDATORY)} mandatory)" if totals[Verdict.FAILED] else ""
    parts = [f"{totals[Verdict.PASSED]} passed", f"{totals[Verdict.FAILED]} failed{of_failed}"]
    parts += [f"{totals[verdict]} {verdict}" for verdict in (Verdict.NOT_SUPPORTED, Verdict.NOT_RUN) if totals[verdict]]
    return f"{', '.join(parts)}, of {len(report.results)} checks in {report.seconds:.1f} s"


def conclusion(report: Report) -> str:
    """The verdict, with the server, profile, version of the checker and time."""
    return f"{judgement(report)} ({provenance(report)}; server {report.url})"


def judgement(report: Report) -> str:
    if report.interrupted:
        return "Interrupted: the remaining checks did not run."
    if not report.conforms:
        return f"The server does not conform to {report.api.title}: a mandatory check failed."
    if report.count(Verdict.PASSED, Kind.MANDATORY) == 0:
        return f"No conclusion about {report.api.title}: no mandatory check passed."
    optional = report.count(Verdict.FAILED, Kind.OPTIONAL)
    exception = f" Failed optional checks: {optional}." if optional else ""
    return f"No mandatory check of {report.api.title} failed.{exception}"


def provenance(report: Report) -> str:
    return f"profile {report.profile.name}; tmf-conformance {__version__}; {moment(report.started)}"


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
