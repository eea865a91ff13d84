"""Dashboard, alert rules and runbooks: they use metrics that exist, and every alert has its page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.deploy.tools import ROOT, promtool

from tmf_sales.telemetry.catalogue import HISTOGRAM, METRICS

MONITORING = ROOT / "deploy/monitoring"
OTHERS = {
    "mongodb_rs_members_state",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "probe_ssl_earliest_cert_expiry",
}
"""Metrics of mongodb_exporter, the kubelet and blackbox_exporter."""

KNOWN = {metric.name: set(metric.labels) for metric in METRICS}
for metric in METRICS:
    if metric.type == HISTOGRAM:
        for suffix in ("_bucket", "_sum", "_count"):
            KNOWN[metric.name + suffix] = {*metric.labels, "le"}
TARGET_LABELS = {"job", "instance"}


def alerts() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
    return rules


def dashboard_expressions() -> Iterator[str]:
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in dashboard["templating"]["list"]:
        yield variable.get("definition", "")


def unknown_names(expression: str) -> list[str]:
    """Metrics that do not exist, and labels that their metrics do not have."""
    faults = []
    for name, selector in re.findall(r"\b((?:tmf|mongodb|kubelet|probe)_\w+)(?:\{([^}]*)\})?", expression):
        if name in OTHERS:
            continue
        if name not in KNOWN:
            faults.append(name)
            continue
        labels = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector))
        faults += [f"{name}{{{label}}}" for label in sorted(labels - KNOWN[name] - TARGET_LABELS)]
    return faults


@pytest.mark.parametrize("expression", [each["expr"] for each in alerts()])
def test_alerts_use_metrics_that_exist(expression: str) -> None:
    assert unknown_names(expression) == []


def test_the_dashboard_uses_metrics_that_exist() -> None:
    expressions = list(dashboard_expressions())

    assert [fault for expression in expressions for fault in unknown_names(expression)] == []


def test_the_dashboard_shows_every_metric() -> None:
    shown = " ".join(dashboard_expressions())

    assert [metric.name for metric in METRICS if metric.name not in shown] == []


def test_names_that_do_not_exist_are_found() -> None:
    assert unknown_names('sum(rate(tmf_sales_http_request_total[5m])) / tmf_sales_store_up{pod="a",job="b"}') == [
        "tmf_sales_http_request_total",
        "tmf_sales_store_up{pod}",
    ]


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]

    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_every_alert_has_a_runbook_and_a_test() -> None:
    index = (ROOT / "docs/runbooks/index.md").read_text()
    tests = yaml.safe_load((MONITORING / "alerts_test.yaml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")}

    assert fired == {each["alert"] for each in alerts()}
    for each in alerts():
        page = ROOT / each["annotations"]["runbook"]
        text = page.read_text()
        assert f"`{each['alert']}`" in text
        assert "## What to look at" in text
        assert "## What to do" in text
        assert f"| `{each['alert']}` | [{text.splitlines()[0].removeprefix('# ')}]({page.name}) |" in index


def test_no_runbook_is_without_alert() -> None:
    pages = {page.name for page in (ROOT / "docs/runbooks").glob("*.md")} - {"index.md"}

    assert pages == {each["annotations"]["runbook"].rpartition("/")[2] for each in alerts()}


@pytest.mark.full
def test_alerts_fire_when_they_should_and_not_before() -> None:
    done = promtool("test", "rules", MONITORING / "alerts_test.yaml")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.full
def test_promtool_accepts_the_rules() -> None:
    done = promtool("check", "rules", MONITORING / "alerts.yaml")

    assert done.returncode == 0, done.stdout + done.stderr
