"""Renders the chart with many values, and looks at every object."""

import json
import re
import unittest
from random import Random

import jsonschema
import kubernetes_validate
import yaml

from chart import CASES, CHART, NAMESPACE, ROOT, helm, of_kind, read_json, render

# The oldest that the chart accepts, one between, and the newest that is known.
VERSIONS = ["1.28", "1.32", "1.37"]
CUSTOM_GROUPS = {"monitoring.coreos.com/v1", "cert-manager.io/v1"}
CLUSTER_KINDS = {"ClusterRole", "ClusterRoleBinding"}
LABEL = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")


def renderings():
    yield "defaults", render()
    for case in CASES:
        yield case.stem, render("--values", case)


class Rendering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.renderings = dict(renderings())

    def each(self):
        for case, objects in self.renderings.items():
            for item in objects:
                yield self.subTest(case=case, kind=item["kind"], name=item["metadata"]["name"]), item, objects

    def test_helm_lints_every_case(self):
        for case in CASES:
            with self.subTest(case=case.stem):
                helm("lint", "--strict", CHART, "--values", case)
        helm("lint", "--strict", CHART)

    def test_kubernetes_knows_every_field(self):
        """By the schemas of several releases, strictly: no unknown field."""
        for context, item, _ in self.each():
            with context:
                if item["apiVersion"] in CUSTOM_GROUPS:
                    jsonschema.validate(item["spec"], read_json(f"Tests/Chart/Schemas/{item['kind']}.json"))
                    continue
                for version in VERSIONS:
                    kubernetes_validate.validate(item, version, strict=True)

    def test_schema_check_can_fail(self):
        """The libraries are asked the right way: a wrong field is found."""
        deployment = of_kind(render(), "Deployment")[0]
        deployment["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(deployment, "1.37", strict=True)
        certificate = of_kind(self.renderings["full"], "Certificate")[0]["spec"] | {"dnsName": "x"}
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(certificate, read_json("Tests/Chart/Schemas/Certificate.json"))

    def test_names_and_namespaces(self):
        for context, item, _ in self.each():
            with context:
                metadata = item["metadata"]
                self.assertRegex(metadata["name"], r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
                self.assertEqual("namespace" not in metadata, item["kind"] in CLUSTER_KINDS)
                for value in metadata["labels"].values():
                    self.assertRegex(value, LABEL)
                self.assertIn("app.kubernetes.io/instance", metadata["labels"])

    def test_no_object_twice(self):
        for case, objects in self.renderings.items():
            keys = [(o["apiVersion"], o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in objects]
            self.assertEqual(len(keys), len(set(keys)), case)

    def test_selectors_find_the_pods_they_mean(self):
        for context, item, objects in self.each():
            with context:
                pods = {w["kind"] + w["metadata"]["name"]: w["spec"]["template"]["metadata"]["labels"]
                        for w in of_kind(objects, "Deployment") + of_kind(objects, "DaemonSet")}
                own = {"Service": lambda s: s["selector"], "PodDisruptionBudget": lambda s: s["selector"]["matchLabels"],
                       "NetworkPolicy": lambda s: s["podSelector"]["matchLabels"],
                       "Deployment": lambda s: s["selector"]["matchLabels"], "DaemonSet": lambda s: s["selector"]["matchLabels"]}
                if item["kind"] not in own:
                    continue
                selector = own[item["kind"]](item["spec"])
                found = [name for name, labels in pods.items() if selector.items() <= labels.items()]
                self.assertEqual(len(found), 1, f"{selector} selects {found}")
                if item["kind"] in ("Deployment", "DaemonSet"):
                    self.assertEqual(found, [item["kind"] + item["metadata"]["name"]])
                else:
                    self.assertIn("operator", pods[found[0]]["app.kubernetes.io/component"])

    def test_references_lead_somewhere(self):
        """Accounts, roles, ConfigMaps and ports that an object names are there."""
        for context, item, objects in self.each():
            with context:
                names = {(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in objects}
                if item["kind"] in ("RoleBinding", "ClusterRoleBinding"):
                    role = item["roleRef"]
                    self.assertIn((role["kind"], item["metadata"].get("namespace"), role["name"]), names)
                    for subject in item["subjects"]:
                        self.assertIn(("ServiceAccount", subject["namespace"], subject["name"]), names)
                if item["kind"] == "Service":
                    pods = [p for p in of_kind(objects, "Deployment") + of_kind(objects, "DaemonSet")
                            if item["spec"]["selector"].items() <= p["spec"]["template"]["metadata"]["labels"].items()]
                    ports = {p["name"] for c in pods[0]["spec"]["template"]["spec"]["containers"] for p in c["ports"]}
                    for port in item["spec"]["ports"]:
                        self.assertIn(port["targetPort"], ports)
                if item["kind"] == "ServiceMonitor":
                    [service] = [s for s in of_kind(objects, "Service")
                                 if item["spec"]["selector"]["matchLabels"].items() <= s["metadata"]["labels"].items()]
                    self.assertEqual([p["name"] for p in service["spec"]["ports"]], [item["spec"]["endpoints"][0]["port"]])
                    self.assertEqual(item["spec"]["namespaceSelector"]["matchNames"], [service["metadata"]["namespace"]])
                if item["kind"] == "HorizontalPodAutoscaler":
                    [target] = [o for o in of_kind(objects, "Deployment") if o["metadata"]["name"] == item["spec"]["scaleTargetRef"]["name"]]
                    self.assertNotIn("replicas", target["spec"])
                if item["kind"] in ("Deployment", "DaemonSet"):
                    for volume in item["spec"]["template"]["spec"].get("volumes", []):
                        if "configMap" in volume:
                            self.assertIn(("ConfigMap", NAMESPACE, volume["configMap"]["name"]), names)

    def test_mounts_have_volumes(self):
        for context, item, _ in self.each():
            with context:
                if item["kind"] not in ("Deployment", "DaemonSet"):
                    continue
                pod = item["spec"]["template"]["spec"]
                volumes = {volume["name"] for volume in pod.get("volumes", [])}
                mounts = {m["name"] for c in pod["containers"] for m in c.get("volumeMounts", [])}
                self.assertEqual(mounts, volumes)

    def test_pods_keep_to_the_restricted_standard(self):
        """The rules of the pod security standard `restricted`; the ingress Envoys alone may use the host's network."""
        for context, item, _ in self.each():
            with context:
                pod = item["spec"]["template"]["spec"] if "template" in item.get("spec", {}) else item.get("spec", {})
                if "containers" not in pod or not pod.get("securityContext"):
                    continue
                self.assertTrue(pod["securityContext"]["runAsNonRoot"])
                self.assertEqual(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault")
                self.assertFalse(pod.get("hostPID") or pod.get("hostIPC"))
                self.assertFalse(pod.get("hostNetwork", False) and not item["metadata"]["name"].endswith("-envoy"))
                self.assertTrue({"configMap", "secret", "emptyDir"} >= {k for v in pod.get("volumes", []) for k in v} - {"name"})
                for container in pod["containers"]:
                    context = container["securityContext"]
                    self.assertFalse(context["allowPrivilegeEscalation"])
                    self.assertTrue(context["readOnlyRootFilesystem"])
                    self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
                    self.assertNotIn("privileged", context)

    def test_secure_by_default(self):
        [deployment] = of_kind(self.renderings["defaults"], "Deployment")
        self.assertTrue(deployment["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"])
        self.assertEqual(deployment["spec"]["replicas"], 2)

    def test_terminating_takes_no_longer_than_is_granted(self):
        for context, item, _ in self.each():
            with context:
                if item["kind"] != "Deployment" or item["metadata"]["name"].endswith("-envoy"):
                    continue
                pod = item["spec"]["template"]["spec"]
                [container] = pod["containers"]
                sleep = int(container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])[1])
                [grace] = [int(a.split("=")[1]) for a in container["args"] if a.startswith("--shutdown-grace-period=")]
                self.assertGreater(pod["terminationGracePeriodSeconds"], sleep + grace)

    def test_operators_key_stays_with_the_operator(self):
        for case, objects in self.renderings.items():
            for item in of_kind(objects, "DaemonSet") + of_kind(objects, "Deployment"):
                if not item["metadata"]["name"].endswith("-envoy"):
                    continue
                for volume in item["spec"]["template"]["spec"]["volumes"]:
                    secret = volume.get("secret", {})
                    keys = [entry["key"] for entry in secret.get("items", [])]
                    self.assertTrue(secret.get("secretName", "envoy").count("envoy") or keys == ["ca.crt"], (case, secret))

    def test_namespaces_bound_all_rights(self):
        objects = self.renderings["namespaced"]
        self.assertFalse(of_kind(objects, "ClusterRole") + of_kind(objects, "ClusterRoleBinding"))
        self.assertEqual(sorted(o["metadata"]["namespace"] for o in of_kind(objects, "Role")), ["calls-a", "calls-b", NAMESPACE])
        arguments = of_kind(objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]["args"]
        self.assertEqual([a for a in arguments if a.startswith("--namespace=")], ["--namespace=calls-a", "--namespace=calls-b"])

    def test_notes_name_what_is_there(self):
        for case in [None, *CASES]:
            with self.subTest(case=case and case.stem):
                values = ["--values", case] if case else []
                output = helm("install", "calls", CHART, "--dry-run=client", "--output", "json", "--namespace", NAMESPACE, *values).stdout
                notes = json.loads(output)["info"]["notes"]
                for name in re.findall(r"deployment/(\S+)", notes):
                    self.assertIn(name, [o["metadata"]["name"] for o in of_kind(self.renderings[case.stem if case else "defaults"], "Deployment")])
                self.assertNotIn("<no value>", notes)


class Combinations(unittest.TestCase):
    """Switches that are each tried with each other, both on and off."""

    SWITCHES = {
        "tls": ("tls.enabled=true,tls.existingSecret=pair,envoy.ingress.tlsSecret=pair", ""),
        "tokens": ("tls.tokenReview=true", ""), "clients": ("tls.clientCertificates=false", ""),
        "namespaces": ("namespaces={a,b}", ""), "cross": ("crossNamespace=true", ""),
        "scaling": ("autoscaling.enabled=true", "replicaCount=5"), "policy": ("networkPolicy.enabled=true", ""),
        "metrics": ("metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true", "metrics.enabled=false"),
        "bootstrap": ("envoy.bootstrap.enabled=true,envoy.bootstrap.namespaces={w}", ""),
        "ingress": ("envoy.bootstrap.enabled=true,envoy.ingress.enabled=true", ""),
        "deployment": ("envoy.ingress.kind=Deployment,envoy.ingress.hostNetwork=false", ""),
        "account": ("serviceAccount.create=false,serviceAccount.name=own", ""), "rights": ("rbac.create=false", "rbac.aggregate=false"),
        "test": ("test.enabled=false", ""), "disruption": ("podDisruptionBudget.enabled=false", ""),
        "service": ("service.type=NodePort", "service.clusterIP=None"),
    }

    def combinations(self):
        """Rows in which every pair of switches has all four positions: greedily, always the same."""
        names, random = list(self.SWITCHES), Random(1)
        missing = {(a, x, b, y) for i, a in enumerate(names) for b in names[i + 1:] for x in (0, 1) for y in (0, 1)}
        while missing:
            rows = [{name: random.randint(0, 1) for name in names} for _ in range(50)]
            row = max(rows, key=lambda row: sum(row[a] == x and row[b] == y for a, x, b, y in missing))
            missing -= {pair for pair in missing if row[pair[0]] == pair[1] and row[pair[2]] == pair[3]}
            yield row

    def test_every_pair_of_switches(self):
        rows = list(self.combinations())
        self.assertLess(len(rows), 20)
        for row in rows:
            values = ",".join(filter(None, (self.SWITCHES[name][position] for name, position in row.items())))
            with self.subTest(values=values):
                objects = render("--set", values)
                self.assertTrue(of_kind(objects, "Deployment"))
                for item in objects:
                    if item["apiVersion"] not in CUSTOM_GROUPS:
                        for version in (VERSIONS[0], VERSIONS[-1]):
                            kubernetes_validate.validate(item, version, strict=True)


class Definitions(unittest.TestCase):
    def test_kubernetes_knows_every_field(self):
        for path in (CHART / "crds").glob("*.yaml"):
            for document in yaml.safe_load_all(path.read_text()):
                for version in VERSIONS:
                    kubernetes_validate.validate(document, version, strict=True)

    def test_helm_installs_definitions_alone(self):
        shown = [d for d in yaml.safe_load_all(helm("show", "crds", CHART).stdout) if d]
        self.assertEqual([d["kind"] for d in shown], ["CustomResourceDefinition"])

    def test_version_is_the_programs(self):
        source = (ROOT / "Sources/xds-operator/Commands/Version.swift").read_text()
        version = re.search(r'number = "([^"]+)"', source).group(1)
        self.assertEqual(yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"], version)


if __name__ == "__main__":
    unittest.main()
