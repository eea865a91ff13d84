"""The totals of a report, by chapter and in all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tmf_conformance.check import Kind, Verdict
from tmf_conformance.run import Report, Result


def by_chapter(report: Report) -> dict[str, list[Result]]:
    """Chapters of the specification first, then what is advice only; each in the order of its first check. All of an
    RFC is one chapter.
    """
    order = {Kind.MANDATORY: 0, Kind.ADVICE: 1}
    found: dict[str, list[Result]] = {}
    for result in sorted(report.results, key=lambda each: order[each.check.kind]):
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
    """The whole run in one line."""
    totals = counts(report.results)
    of_failed = f" ({report.count(Verdict.FAILED, Kind.MANDATORY)} mandatory)" if totals[Verdict.FAILED] else ""
    parts = [f"{totals[Verdict.PASSED]} passed", f"{totals[Verdict.FAILED]} failed{of_failed}"]
    parts += [f"{totals[verdict]} {verdict}" for verdict in (Verdict.NOT_SUPPORTED, Verdict.NOT_RUN) if totals[verdict]]
    return f"{', '.join(parts)}, of {len(report.results)} checks in {report.seconds:.1f} s"


def conclusion(report: Report) -> str:
    if report.interrupted:
        return "Interrupted: nothing can be said of the checks that are left."
    if not report.conforms:
        return f"The server does not follow {report.api.title}: a mandatory check failed."
    if report.count(Verdict.PASSED, Kind.MANDATORY) == 0:
        return f"Nothing can be said of {report.api.title}: no mandatory check passed."
    return f"No mandatory check of {report.api.title} failed."
