"""Alerts and the dashboard: that promtool accepts them, when they fire, and that each has a runbook."""

import json
import pathlib
import re
import tempfile
import unittest

import yaml

from chart import CASES, ROOT, TOOLS, of_kind, render, run

RULES = ROOT / "Tests/Chart/Cases/full.yaml"


def groups():
    [rule] = of_kind(render("--values", RULES), "PrometheusRule")
    return rule["spec"]


def expressions():
    """Every query of the alerts and the dashboard, the variables of the latter filled in."""
    for group in groups()["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for title, query in dashboard_expressions():
        yield title, query


def dashboard():
    [board] = [o for o in of_kind(render("--values", RULES), "ConfigMap") if "xds-operator.json" in o["data"]]
    return json.loads(board["data"]["xds-operator.json"])


def dashboard_expressions():
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"]
            for variable, value in {"$job": ".*", "$namespace": ".*", "$__rate_interval": "5m"}.items():
                query = query.replace(variable, value)
            yield panel["title"], query


def promtool(*arguments, check=True):
    return run(TOOLS / "promtool", *arguments, check=check)


class Alerts(unittest.TestCase):
    def test_promtool_accepts_all_queries(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "rules.yaml"
            path.write_text(yaml.safe_dump(groups()))
            promtool("check", "rules", path)
            # The dashboard's queries as recording rules, so that they are parsed, too.
            path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": [
                {"record": f"panel:{index}", "expr": query} for index, (_, query) in enumerate(dashboard_expressions())]}]}))
            promtool("check", "rules", path)

    def test_alerts_fire_when_they_should(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory)
            (path / "rules.yaml").write_text(yaml.safe_dump(groups()))
            (path / "alerts_test.yaml").write_text((ROOT / "Tests/Chart/alerts.yaml").read_text())
            promtool("test", "rules", path / "alerts_test.yaml")

    def test_every_alert_is_tried(self):
        tried = {case["alertname"] for test in yaml.safe_load((ROOT / "Tests/Chart/alerts.yaml").read_text())["tests"]
                 for case in test["alert_rule_test"] if case.get("exp_alerts")}
        self.assertEqual(tried, {rule["alert"] for group in groups()["groups"] for rule in group["rules"]})

    def test_every_alert_has_a_runbook(self):
        text = (ROOT / "docs/runbooks.md").read_text()
        sections = {line.removeprefix("## ") for line in text.splitlines() if line.startswith("## XDSOperator")}
        self.assertEqual(sections, {rule["alert"] for group in groups()["groups"] for rule in group["rules"]})
        for group in groups()["groups"]:
            for rule in group["rules"]:
                self.assertTrue(rule["annotations"]["runbook_url"].endswith("#" + rule["alert"].lower()))


class Dashboard(unittest.TestCase):
    def test_panels_neither_overlap_nor_repeat(self):
        panels = dashboard()["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        cells = set()
        for panel in panels:
            position = panel["gridPos"]
            self.assertLessEqual(position["x"] + position["w"], 24)
            for x in range(position["x"], position["x"] + position["w"]):
                for y in range(position["y"], position["y"] + position["h"]):
                    self.assertNotIn((x, y), cells, panel["title"])
                    cells.add((x, y))

    def test_every_variable_is_declared(self):
        declared = {variable["name"] for variable in dashboard()["templating"]["list"]} | {"__rate_interval"}
        self.assertLessEqual(set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard()))), declared)

    def test_nothing_needs_a_value_that_is_off(self):
        for case in CASES:
            objects = render("--values", case)
            if of_kind(objects, "PrometheusRule") or of_kind(objects, "ServiceMonitor"):
                self.assertTrue(any(s["metadata"]["name"].endswith("-metrics") for s in of_kind(objects, "Service")), case)
