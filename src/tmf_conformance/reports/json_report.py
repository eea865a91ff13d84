"""The report as JSON, for other programs."""

from __future__ import annotations

import json
from typing import Any

from tmf_conformance import __version__
from tmf_conformance.reports.totals import by_chapter, counts, moment
from tmf_conformance.run import Report, Result


def as_json(report: Report) -> str:
    return json.dumps(described(report), ensure_ascii=False, indent=2) + "\n"


def described(report: Report) -> dict[str, Any]:
    return {
        "api": report.api.name,
        "specification": report.api.title,
        "profile": report.profile.name,
        "version": __version__,
        "url": report.url,
        "started": moment(report.started),
        "seconds": round(report.seconds, 3),
        "conforms": report.conforms,
        "interrupted": report.interrupted,
        "totals": counts(report.results),
        "chapters": [{"chapter": name, **counts(results)} for name, results in by_chapter(report).items()],
        "hints": report.hints,
        "couldNotBeRemoved": report.remaining,
        "checks": [_described(result) for result in report.results],
    }


def _described(result: Result) -> dict[str, Any]:
    check = result.check
    facts = {
        "id": check.id,
        "title": check.title,
        "kind": result.kind,
        "chapter": check.source.chapter,
        "rule": check.source.text,
        "result": result.verdict,
        "seconds": round(result.seconds, 3),
    }
    details = {"reason": result.reason, "request": result.request, "response": result.response}
    return facts | {name: text for name, text in details.items() if text}
