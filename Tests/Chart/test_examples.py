"""The examples beside the chart, and the image's description."""

import json
import re
import unittest

import kubernetes_validate
import yaml

from chart import CHART, ROOT, of_kind, program, render, run
from test_rendering import VERSIONS

EXAMPLE = ROOT / "helm/examples/rtpengine"


class Media(unittest.TestCase):
    rendered = render("--values", EXAMPLE / "values.yaml", release="xds-operator", namespace="media")
    objects = [d for path in ("workers.yaml", "signalling.yaml") for d in yaml.safe_load_all((EXAMPLE / path).read_text())]
    calls = list(yaml.safe_load_all((EXAMPLE / "call.yaml").read_text()))

    def test_kubernetes_knows_every_field(self):
        for item in self.objects:
            for version in VERSIONS[1:] if item["kind"] == "Deployment" else VERSIONS:
                kubernetes_validate.validate(item, version, strict=True)

    def test_sidecars_find_their_bootstrap(self):
        [workers] = of_kind(self.objects, "Deployment")
        [volume] = [v for v in workers["spec"]["template"]["spec"]["volumes"] if "configMap" in v]
        self.assertIn((volume["configMap"]["name"], workers["metadata"]["namespace"]),
                      [(c["metadata"]["name"], c["metadata"]["namespace"]) for c in of_kind(self.rendered, "ConfigMap")])
        [sidecar] = workers["spec"]["template"]["spec"]["initContainers"]
        [ingress] = [i for i in of_kind(self.rendered, "DaemonSet")]
        [envoy] = ingress["spec"]["template"]["spec"]["containers"]
        self.assertEqual(sidecar["image"], envoy["image"])
        self.assertEqual(sidecar["env"], envoy["env"])

    def test_calls_select_what_is_there(self):
        pods = [o["spec"]["template"]["metadata"]["labels"] for o in of_kind(self.objects, "Deployment") + of_kind(self.rendered, "DaemonSet")]
        for call in self.calls:
            self.assertTrue(any(call["spec"]["selector"].items() <= labels.items() for labels in pods), call["metadata"]["name"])
            self.assertEqual(call["metadata"]["namespace"], "media")

    def test_the_program_accepts_the_call(self):
        self.assertIn("2 VirtualServices", run(program("xds-operator"), "validate", "-f", EXAMPLE / "call.yaml").stdout)

    def test_signalling_has_the_rights_of_editors(self):
        [role] = of_kind(self.objects, "Role")
        [edit] = [r for r in of_kind(render(), "ClusterRole") if r["metadata"]["name"].endswith("-edit")]
        self.assertLessEqual(set(role["rules"][0]["verbs"]), set(edit["rules"][0]["verbs"]))


class Image(unittest.TestCase):
    text = (ROOT / "Dockerfile").read_text()

    def test_user_is_the_charts(self):
        [user] = re.findall(r"^USER (\d+):(\d+)$", self.text, re.MULTILINE)
        context = yaml.safe_load((CHART / "values.yaml").read_text())["podSecurityContext"]
        self.assertEqual(user, (str(context["runAsUser"]), str(context["runAsGroup"])))

    def test_version_is_the_charts(self):
        [version] = re.findall(r"^ARG VERSION=(\S+)$", self.text, re.MULTILINE)
        self.assertEqual(version, yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"])

    def test_bill_of_materials_lists_the_packages(self):
        bill = json.loads(run(ROOT / "scripts/sbom").stdout)
        linked = {component["name"]: component["version"] for component in bill["components"] if component["type"] == "library"}
        # Exactly those of the manifest, those that only other packages need included: an image that is built later has the same.
        text = (ROOT / "Package.swift").read_text()
        self.assertNotIn('", from:', text)
        self.assertEqual(linked, {url.rsplit("/", 1)[1]: version for url, version in re.findall(r'\.package\(url: "([^"]+)", exact: "([^"]+)"\)', text)})
        self.assertEqual(len({c["bom-ref"] for c in bill["components"]}), len(bill["components"]))
        self.assertEqual(bill, json.loads(run(ROOT / "scripts/sbom").stdout))
