"""Renders the report for a terminal: the checks by chapter, with reasons, and the totals."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from tmf_conformance.outcome import Verdict
from tmf_conformance.reports.totals import by_chapter, conclusion, counts, sentence
from tmf_conformance.run import Report, Result

WIDTH = 116
_COLOURS = {Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.NOT_SUPPORTED: "yellow", Verdict.NOT_RUN: "cyan"}


def report_lines(report: Report, *, quiet: bool = False) -> Iterator[str]:
    width = max((len(result.check.id) for result in report.results), default=0)
    yield f"{report.api.title} at {printable(report.url)}, profile {report.profile.name}"
    for chapter, results in by_chapter(report).items():
        shown = [each for each in results if not quiet or each.verdict is not Verdict.PASSED]
        if shown:
            yield ""
            yield click.style(f"{chapter} ({counts(results)[Verdict.PASSED]} of {len(results)} passed)", bold=True)
        for result in shown:
            yield row(result, width)
            yield from why(result)
    yield ""
    yield click.style(sentence(report), bold=True)
    yield printable(conclusion(report))
    yield from report.hints
    if report.remaining:
        yield "Could not be removed:"
        yield from (f"  {printable(each)}" for each in report.remaining)


def row(result: Result, width: int) -> str:
    check = result.check
    verdict = click.style(
        f"{result.verdict.upper() if result.verdict is Verdict.FAILED else result.verdict:<13}",
        fg=_COLOURS[result.verdict],
    )
    return f"  {verdict} {result.kind:<9} {check.id:<{width}} {check.title}"


def why(result: Result) -> Iterator[str]:
    if result.verdict is Verdict.PASSED:
        return
    if result.verdict is not Verdict.FAILED:
        yield from wrapped("because", result.reason)
        return
    yield from wrapped("rule", f"{result.check.source.chapter}: {result.check.source.text}")
    yield from wrapped("expected", result.reason)
    if result.request:
        yield from wrapped("request", result.request.partition("\n")[0])
        yield from wrapped("response", summary(result.response))


def summary(response: str) -> str:
    """Status and start of the body, and the target of a redirect."""
    head, _, body = response.partition("\n\n")
    status, *headers = head.split("\n")
    places = [each for each in headers if each.lower().startswith("location:") and status.startswith("3")]
    return " ".join([status, *places, body])[:200]


def wrapped(label: str, text: str) -> Iterator[str]:
    start = f"    {label + ':':<10} "
    folded = textwrap.wrap(printable(text), WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
    yield from folded or [start]


def printable(text: str) -> str:
    """Reduce the text to one line without control characters."""
    return "".join(each if each.isprintable() else " " for each in " ".join(text.split()))
