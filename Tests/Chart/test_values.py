"""The schema of values: what it lets through, and that no typo gets past it."""

import copy
import re
import subprocess
import unittest

import jsonschema
import yaml

from chart import CASES, CHART, ROOT, helm, read_json

SCHEMA = read_json("helm/xds-operator/values.schema.json")
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
# Keys here are the user's own.
FREE = {"global", "commonLabels", "commonAnnotations", "podLabels", "podAnnotations", "nodeSelector", "labels", "annotations",
        "alertLabels", "requests", "limits"}


def merged(base, extra):
    result = copy.deepcopy(base)
    for key, value in extra.items():
        result[key] = merged(result[key], value) if isinstance(value, dict) and isinstance(result.get(key), dict) else value
    return result


def mappings(value, path=()):
    if isinstance(value, dict):
        if not path or path[-1] not in FREE:
            yield path
        for key, inner in value.items():
            if key not in FREE:
                yield from mappings(inner, (*path, key))


def keys(value, path=()):
    for key, inner in value.items():
        yield (*path, key)
        if isinstance(inner, dict) and key not in FREE:
            yield from keys(inner, (*path, key))


class Schema(unittest.TestCase):
    validator = jsonschema.Draft202012Validator(SCHEMA)

    def test_schema_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_defaults_and_cases_pass(self):
        self.validator.validate(VALUES)
        for case in CASES:
            with self.subTest(case=case.stem):
                self.validator.validate(merged(VALUES, yaml.safe_load(case.read_text())))

    def test_a_typo_is_refused_at_every_depth(self):
        paths = list(mappings(VALUES))
        self.assertGreater(len(paths), 40)
        for path in paths:
            with self.subTest(path=".".join(path)):
                values = copy.deepcopy(VALUES)
                target = values
                for key in path:
                    target = target[key]
                target["typo"] = True
                self.assertFalse(self.validator.is_valid(values))

    def test_the_schema_knows_every_value_and_no_other(self):
        def known(schema):
            schema = {**SCHEMA["$defs"][schema["$ref"].split("/")[-1]], **schema} if "$ref" in schema else schema
            return schema.get("properties", {})

        def compare(values, schema, path):
            properties = known(schema)
            if not properties or not isinstance(values, dict):
                return
            self.assertLessEqual(values.keys(), properties.keys(), path)
            # What Kubernetes defines has more than the defaults name.
            if "$ref" in schema:
                return
            if path and values:
                self.assertEqual(values.keys(), properties.keys(), path)
            for key, value in values.items():
                compare(value, properties[key], (*path, key))

        compare(VALUES, SCHEMA, ())
        self.assertEqual(SCHEMA["properties"].keys() - VALUES.keys(), {"global"})

    def test_wrong_types_and_ranges_are_refused(self):
        for change in [
            "replicaCount=two", "replicaCount=-1", "service.port=0", "service.port=65536", "log.level=loud", "log.format=xml",
            "namespaces={Upper}", "image.digest=sha256:12", "envoy.ingress.kind=StatefulSet", "envoy.bootstrap.xdsAddress=nowhere",
            "status.rate=0", "metrics.serviceMonitor.interval=soon", "commonLabels.a=not allowed", "extraArgs={loops}",
            "podDisruptionBudget.maxUnavailable=half", "answerTimeoutSeconds=0", "service.type=ExternalName",
            "tls.certManager.duration=a year", "serviceAccount.name=Not_a_name",
        ]:
            with self.subTest(change=change):
                result = helm("template", CHART, "--set", change, check=False)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn("values don't meet the specifications", result.stderr)

    def test_contradictions_are_refused_with_advice(self):
        for change, advice in [
            ("leaderElection.enabled=false", "replicaCount must be 1"),
            ("leaderElection.enabled=false,replicaCount=1,autoscaling.enabled=true", "autoscaling off"),
            ("tls.enabled=true", "set tls.existingSecret or tls.certManager.enabled"),
            ("tls.enabled=true,tls.existingSecret=a,tls.certManager.enabled=true", "not both"),
            ("tls.certManager.enabled=true", "set tls.enabled"),
            ("envoy.ingress.enabled=true", "set envoy.bootstrap.enabled"),
            ("tls.enabled=true,tls.existingSecret=a,envoy.bootstrap.enabled=true,envoy.ingress.enabled=true", "envoy.ingress.tlsSecret"),
            ("autoscaling.enabled=true,autoscaling.minReplicas=7", "more than autoscaling.maxReplicas"),
            ("metrics.enabled=false,metrics.serviceMonitor.enabled=true", "metrics.enabled is false"),
        ]:
            with self.subTest(change=change):
                result = helm("template", CHART, "--set", change, check=False)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(advice, result.stderr)


class InStep(unittest.TestCase):
    """What is made from the chart follows it."""

    def check(self, script):
        result = subprocess.run([ROOT / "scripts" / script, "--check"], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_readme_lists_the_values(self):
        self.check("chart-readme")

    def test_plain_manifests_are_the_charts(self):
        self.check("render-manifests")

    def test_every_value_is_used(self):
        """Each name of values.yaml occurs in a template, itself or what holds it as a whole."""
        files = [path for path in CHART.glob("**/*") if path.is_file() and path.parent != CHART]
        text = "".join(path.read_text() for path in files)
        ingress = (CHART / "templates/envoy-ingress.yaml").read_text()
        for path in keys(VALUES):
            wholes = [r"\.Values\." + r"\.".join(path[:length]) + r"(?![\w.])" for length in range(1, len(path) + 1)]
            parts = r"\.Values\." + r"\.".join(path) + r"\."
            used = re.search("|".join([*wholes[1:], wholes[0] if path[0] != "envoy" else parts, parts]), text)
            if path[:2] == ("envoy", "ingress"):
                used = len(path) == 2 or re.search(r"(?<![\w$])\." + r"\.".join(path[2:3]) + r"\b", ingress)
            self.assertTrue(used, f"{'.'.join(path)} is used nowhere")
