"""Installs by Helm and by plain manifests: in a simulated API server, and in a real one when KUBECONFIG is given.

With KUBECONFIG nothing is changed in that cluster, unless CHART_INSTALL=yes says that it may be.
"""

import os
import pathlib
import shutil
import tempfile
import unittest

import yaml

import kinds
from chart import CASES, CHART, ROOT, TOOLS, Process, helm, program, run
from release_proxy import Proxy

DEFINITION = CHART / "crds/virtualservices.servicemesh.l7mp.io.yaml"
CALL = ROOT / "helm/examples/rtpengine/call.yaml"


class Simulated(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.directory / "kinds.yaml").write_text(kinds.definitions())
        self.kubeconfig = self.directory / "kubeconfig"
        self.server = self.enterContext(Process(
            program("kube-api-simulator"), "--kubeconfig-out", self.kubeconfig, "--crd", self.directory / "kinds.yaml",
            awaiting=[r"listening on (\S+)"]))

    def environment(self):
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": f"{TOOLS}:{os.environ['PATH']}"}

    def kubectl(self, *arguments, **options):
        return run(TOOLS / "kubectl", *arguments, env=self.environment(), **options).stdout

    def objects(self, kind, *arguments):
        return yaml.safe_load(self.kubectl("get", kind, "--all-namespaces", "--output", "yaml", *arguments))["items"]

    def make(self, *arguments):
        # Without what installs: tests have it all.
        return run("make", "--no-print-directory", *arguments, env=self.environment())

    def test_helm_asks_the_server_first(self):
        """A dry run with the server's discovery, and every object but those of other operators is known there."""
        for case in CASES:
            text = case.read_text()
            if "certManager" in text or "serviceMonitor" in text or "autoscaling" in text:
                continue
            with self.subTest(case=case.stem):
                helm("install", "calls", CHART, "--namespace", "media", "--create-namespace", "--dry-run=server", "--values", case,
                     env=self.environment())

    def test_helm_installs_upgrades_rolls_back_and_removes(self):
        proxy = self.enterContext(Proxy(self.server.found[0]))

        def release(*arguments):
            helm(*arguments, "--namespace", "media", "--kube-apiserver", proxy.url, env=self.environment())

        release("install", "calls", CHART, "--create-namespace")
        self.kubectl("wait", "--for=condition=Established", "crd/virtualservices.servicemesh.l7mp.io", "--timeout=10s")
        self.kubectl("create", "-f", CALL)
        [deployment] = self.objects("deployments")
        self.assertEqual((deployment["metadata"]["name"], deployment["spec"]["replicas"]), ("calls-xds-operator", 2))
        self.assertEqual(len(self.objects("services")), 2)
        self.assertEqual(len(self.objects("clusterroles")), 3)
        # To another scope: the rights follow.
        release("upgrade", "calls", CHART, "--set", "namespaces={media}", "--set", "replicaCount=3")
        self.assertEqual(self.objects("deployments")[0]["spec"]["replicas"], 3)
        self.assertEqual(len(self.objects("clusterroles")), 2)
        self.assertEqual(self.objects("clusterrolebindings"), [])
        self.assertEqual({o["metadata"]["name"] for o in self.objects("roles")}, {"calls-xds-operator", "calls-xds-operator-leases"})
        # As the chart's README tells: what was set stays.
        release("upgrade", "calls", CHART, "--reset-then-reuse-values")
        self.assertEqual(self.objects("deployments")[0]["spec"]["replicas"], 3)
        release("rollback", "calls", "1")
        self.assertEqual(self.objects("deployments")[0]["spec"]["replicas"], 2)
        self.assertEqual(len(self.objects("clusterroles")), 3)
        release("uninstall", "calls")
        self.assertEqual(self.objects("deployments") + self.objects("services") + self.objects("clusterroles"), [])
        self.assertEqual(len(self.objects("virtualservices")), 2)

    def test_deploy_and_undeploy(self):
        self.make("deploy", "IMG=registry.example.com/xds-operator:1")
        [deployment] = self.objects("deployments")
        self.assertEqual(deployment["metadata"]["namespace"], "xds-operator-system")
        self.assertEqual(deployment["spec"]["template"]["spec"]["containers"][0]["image"], "registry.example.com/xds-operator:1")
        self.kubectl("create", "namespace", "media")
        self.kubectl("create", "-f", CALL)
        # Once more, as an upgrade.
        self.make("deploy", "IMG=registry.example.com/xds-operator:2")
        [deployment] = self.objects("deployments")
        self.assertEqual(deployment["spec"]["template"]["spec"]["containers"][0]["image"], "registry.example.com/xds-operator:2")
        self.make("undeploy")
        self.assertEqual(self.objects("deployments") + self.objects("clusterroles") + self.objects("services"), [])
        self.assertEqual(len(self.objects("virtualservices")), 2)

    def test_the_definition_is_upgraded(self):
        """From one of an older release, made by an ordinary apply, by both ways that the documents tell; objects stay."""
        for way in ("helm", "make"):
            with self.subTest(way=way):
                older = yaml.safe_load(DEFINITION.read_text())
                version = older["spec"]["versions"][0]
                version["additionalPrinterColumns"] = version["additionalPrinterColumns"][:1]
                del version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["replicas"]
                path = self.directory / "older.yaml"
                path.write_text(yaml.safe_dump(older))
                self.kubectl("apply", "-f", path)
                if not self.objects("virtualservices"):
                    self.kubectl("create", "namespace", "media")
                    self.kubectl("create", "-f", CALL)
                if way == "helm":
                    shown = helm("show", "crds", CHART).stdout
                    self.kubectl("apply", "--server-side", "--force-conflicts", "--filename", "-", input=shown)
                else:
                    self.make("install-crds")
                installed = yaml.safe_load(self.kubectl("get", "crd", older["metadata"]["name"], "--output", "yaml"))
                current = yaml.safe_load(DEFINITION.read_text())["spec"]["versions"][0]
                self.assertEqual(len(installed["spec"]["versions"][0]["additionalPrinterColumns"]), len(current["additionalPrinterColumns"]))
                self.assertIn("replicas", installed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"])
                self.assertEqual(len(self.objects("virtualservices")), 2)
                # As the migration tells, the objects of a cluster can be validated before.
                objects = self.directory / "objects.yaml"
                objects.write_text(self.kubectl("get", "vsvc", "--all-namespaces", "--output", "yaml"))
                self.assertIn("2 VirtualServices", run(program("xds-operator"), "validate", "-f", objects).stdout)


@unittest.skipUnless(os.environ.get("KUBECONFIG"), "no KUBECONFIG")
class Real(unittest.TestCase):
    def test_dry_run(self):
        helm("install", "chart-test", CHART, "--namespace", "default", "--dry-run=server", "--set", "fullnameOverride=chart-test")

    @unittest.skipUnless(os.environ.get("CHART_INSTALL") == "yes", "CHART_INSTALL is not yes")
    def test_install_upgrade_roll_back(self):
        """Without waiting for pods, whose image the cluster may not have."""
        arguments = ["chart-test", "--namespace", "chart-test"]
        try:
            helm("install", arguments[0], CHART, *arguments[1:], "--create-namespace")
            helm("upgrade", arguments[0], CHART, *arguments[1:], "--set", "replicaCount=1")
            helm("rollback", *arguments)
        finally:
            helm("uninstall", *arguments, check=False)
            run(shutil.which("kubectl") or TOOLS / "kubectl", "delete", "namespace", "chart-test", "--wait=false", check=False)
