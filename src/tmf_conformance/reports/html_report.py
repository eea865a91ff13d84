"""Renders the report as one HTML page without scripts or external resources, also readable on a phone.

Guarantee: everything that a server returned is escaped text on the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from tmf_conformance import __version__
from tmf_conformance.outcome import Verdict
from tmf_conformance.reports.totals import by_chapter, conclusion, counts, moment, sentence
from tmf_conformance.run import Report, Result
from tmf_conformance.source import Kind

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; --good: #1a7f37; --bad: #cf222e; --mild: #9a6700; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .4rem; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; width: 5.2rem; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); } .mild { color: var(--mild); }
.conclusion { border: 2px solid; border-radius: .5rem; font-size: 1.1rem; padding: .6rem .8rem; }
details, .check { border-bottom: 1px solid var(--line); padding: .4rem 0; }
summary { cursor: pointer; } summary code { font-size: .85em; overflow-wrap: anywhere; }
.verdict { display: inline-block; min-width: 7.5rem; }
.kind { border: 1px solid var(--line); border-radius: 1rem; font-size: .75rem; padding: 0 .5rem; }
blockquote { border-left: .25rem solid var(--line); margin: .5rem 0; padding: 0 .75rem; }
pre { background: var(--soft); font-size: .8rem; margin: .5rem 0; overflow-x: auto; padding: .6rem;
  overflow-wrap: anywhere; white-space: pre-wrap; }
dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  td.number, th.number { width: auto; } th.number { font-size: .7rem; } .verdict { min-width: 0; margin-right: .4rem; }
}
"""
_CLASSES = {Verdict.PASSED: "good", Verdict.FAILED: "bad", Verdict.NOT_SUPPORTED: "mild", Verdict.NOT_RUN: "mild"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(report: Report) -> str:
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterator[str]:
    title = f"Conformance with {report.api.title}"
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f"<h1>{escape(title)}</h1>"
    facts = (report.url, f"profile {report.profile.name}", f"tmf-conformance {__version__}", moment(report.started))
    yield f"<p>{'<br>'.join(map(escape, facts))}</p>"
    good = report.conforms and not report.interrupted and report.count(Verdict.PASSED, Kind.MANDATORY) > 0
    yield f'<p class="conclusion {"good" if good else "bad"}">{escape(conclusion(report))}</p>'
    yield f"<p>{escape(sentence(report))}.</p>"
    yield from (f"<p>{escape(hint)}</p>" for hint in report.hints)
    yield from _remaining(report)
    chapters = by_chapter(report)
    yield from _totals(chapters.items())
    for number, (chapter, results) in enumerate(chapters.items(), 1):
        yield f'<section id="c{number}">\n<h2>{escape(chapter)}</h2>'
        for result in results:
            yield from _result(result)
        yield "</section>"
    yield "</main>\n</body>\n</html>"


def _remaining(report: Report) -> Iterator[str]:
    if report.remaining:
        yield "<h2>Could not be removed</h2>\n<ul>"
        yield from (f"<li>{escape(each)}</li>" for each in report.remaining)
        yield "</ul>"


def _totals(chapters: Iterable[tuple[str, list[Result]]]) -> Iterator[str]:
    yield "<h2>By chapter</h2>\n<table>\n<thead><tr><th>Chapter</th>"
    yield from (f'<th class="number">{verdict}</th>' for verdict in Verdict)
    yield "</tr></thead>\n<tbody>"
    for number, (chapter, results) in enumerate(chapters, 1):
        yield f'<tr><td><a href="#c{number}">{escape(chapter)}</a></td>'
        for verdict, count in counts(results).items():
            shade = f" {_CLASSES[verdict]}" if count else ""
            yield f'<td class="number{shade}">{count or "-"}</td>'
        yield "</tr>"
    yield "</tbody>\n</table>"


def _result(result: Result) -> Iterator[str]:
    opened = " open" if result.verdict is Verdict.FAILED else ""
    check = result.check
    yield f"<details{opened}>\n<summary>{_verdict(result)} {escape(check.title)}"
    yield f' <span class="kind">{result.kind}</span> <code>{escape(check.id)}</code></summary>'
    yield f"<blockquote>{escape(check.source.text)}</blockquote>\n<dl>"
    if result.reason:
        yield _item("Expected" if result.verdict is Verdict.FAILED else "Because", f"<p>{escape(result.reason)}</p>")
    if result.request:
        yield _item("Request", f"<pre>{escape(result.request)}</pre>")
        yield _item("Response", f"<pre>{escape(result.response)}</pre>")
    yield "</dl>\n</details>"


def _verdict(result: Result) -> str:
    return f'<span class="verdict {_CLASSES[result.verdict]}">{result.verdict}</span>'


def _item(name: str, text: str) -> str:
    return f"<dt>{name}</dt><dd>{text}</dd>"
