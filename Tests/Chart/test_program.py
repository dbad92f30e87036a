"""The chart and the program agree: flags, bootstrap, metrics and rights."""

import json
import os
import pathlib
import re
import tempfile
import unittest
import urllib.request

import yaml

from chart import CASES, CHART, ROOT, TOOLS, Process, of_kind, operator, program, render, run
from test_alerts import expressions


def arguments(objects):
    for item in of_kind(objects, "Deployment"):
        for container in item["spec"]["template"]["spec"]["containers"]:
            if container["name"] == "operator":
                yield from container["args"]


def scrape(port):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()


class Flags(unittest.TestCase):
    def test_every_argument_is_known(self):
        known = set(re.findall(r"--[a-z][-a-z]+", run(program("xds-operator"), "serve", "--help").stdout))
        for objects in [render(), *(render("--values", case) for case in CASES)]:
            given = {argument.split("=")[0] for argument in arguments(objects) if argument.startswith("--")}
            self.assertGreater(len(given), 5)
            self.assertLessEqual(given, known)

    def test_the_program_takes_the_arguments(self):
        """As rendered, but for the addresses, and from manifests."""
        own = ("--xds-bind", "--metrics-bind", "--health-probe-bind", "--loops", "--log-", "--xds-tls")
        given = [a for a in arguments(render("--values", ROOT / "Tests/Chart/Cases/namespaced.yaml"))
                 if a != "serve" and not a.startswith(own)]
        with tempfile.TemporaryDirectory() as directory, operator("--manifests", directory, *given) as process:
            self.assertIn("xds_operator_ready", scrape(process.found[0]))


class HelmTest(unittest.TestCase):
    """What the pod of `helm test` does, done here."""

    def script(self, xds, metrics):
        [pod] = of_kind(render(), "Pod")
        [container] = pod["spec"]["containers"]
        script = container["args"][0]
        for name, port, to in [("calls-xds-operator", 18000, xds), ("calls-xds-operator-metrics", 8080, metrics)]:
            self.assertIn(f"/{name}.media.svc/{port}\n", script)
            script = script.replace(f"/{name}.media.svc/{port}\n", f"/127.0.0.1/{to}\n")
        return run(*container["command"], script, check=False)

    def test_passes_when_the_operator_is_ready(self):
        with tempfile.TemporaryDirectory() as directory, operator("--manifests", directory) as process:
            result = self.script(xds=process.found[3], metrics=process.found[0])
            self.assertEqual((result.returncode, result.stdout), (0, "the xDS port answers\nall objects are read\n"), result.stderr)
            # Metrics of something else, and nobody on the port.
            self.assertNotEqual(self.script(xds=process.found[3], metrics=process.found[1]).returncode, 0)
            self.assertNotEqual(self.script(xds=1, metrics=process.found[0]).returncode, 0)


class Bootstrap(unittest.TestCase):
    def test_is_what_the_program_prints(self):
        for address, api, port in [
            ("calls-xds-operator.media.svc:18000", "delta", 9901), ("192.0.2.7:443", "sotw", 0), ("[2001:db8::7]:18000", "delta", 1),
        ]:
            with self.subTest(address=address):
                [config] = [o for o in of_kind(render("--set", "envoy.bootstrap.enabled=true", "--set", f"envoy.bootstrap.xdsAddress={address}",
                                                       "--set", f"envoy.bootstrap.api={api}", "--set", f"envoy.bootstrap.adminPort={port}"), "ConfigMap")]
                printed = run(program("xds-operator"), "bootstrap", "--xds-address", address, "--api", api, "--admin-port", port).stdout
                self.assertEqual(yaml.safe_load(config["data"]["envoy.yaml"]), yaml.safe_load(printed))

    def test_is_what_the_program_prints_with_tls(self):
        for address in ("calls-xds-operator.media.svc:18000", "192.0.2.7:443"):
            for shows in (True, False):
                with self.subTest(address=address, shows=shows), tempfile.TemporaryDirectory() as directory:
                    [config] = of_kind(render(
                        "--set", f"envoy.bootstrap.enabled=true,envoy.bootstrap.xdsAddress={address},tls.enabled=true,tls.existingSecret=pair,"
                        f"tls.clientCertificates={json.dumps(shows)}"), "ConfigMap")
                    printed = run(program("xds-operator"), "bootstrap", "--xds-address", address, "--admin-port", 9901, "--tls-directory",
                                  "/etc/envoy-tls", "--sds-directory", directory, *([] if shows else ["--server-tls-only"])).stdout
                    files = {path.name: path.read_text() for path in pathlib.Path(directory).iterdir()}
                    files["envoy.yaml"] = printed.replace(directory, "/etc/envoy")
                    self.assertEqual({name: yaml.safe_load(text) for name, text in config["data"].items()},
                                     {name: yaml.safe_load(text) for name, text in files.items()})

    def test_default_address_is_the_service(self):
        objects = render("--set", "envoy.bootstrap.enabled=true")
        [service] = [s for s in of_kind(objects, "Service") if not s["metadata"]["name"].endswith("-metrics")]
        [config] = of_kind(objects, "ConfigMap")
        socket = yaml.safe_load(config["data"]["envoy.yaml"])["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0][
            "lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
        self.assertEqual(socket, {"address": f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc",
                                  "port_value": service["spec"]["ports"][0]["port"]})

    def test_envoy_accepts_every_case(self):
        for case in CASES:
            for config in of_kind(render("--values", case), "ConfigMap"):
                if "envoy.yaml" not in config["data"]:
                    continue
                with self.subTest(case=case.stem), tempfile.TemporaryDirectory() as directory:
                    for name, text in config["data"].items():
                        # Files as a pod would see them, at another place.
                        (pathlib.Path(directory) / name).write_text(text.replace("/etc/envoy/", directory + "/").replace("/etc/envoy-tls", directory))
                    certificate(directory)
                    run(TOOLS / "envoy", "--mode", "validate", "--config-path", f"{directory}/envoy.yaml", "--service-node", "x", "--log-level", "error")

    def test_ingress_mounts_what_the_bootstrap_reads(self):
        for case in CASES:
            objects = render("--values", case)
            for item in of_kind(objects, "DaemonSet") + of_kind(objects, "Deployment"):
                if not item["metadata"]["name"].endswith("-envoy"):
                    continue
                [container] = item["spec"]["template"]["spec"]["containers"]
                mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
                [config] = [o for o in of_kind(objects, "ConfigMap") if "envoy.yaml" in o["data"]
                            and o["metadata"]["namespace"] == item["metadata"]["namespace"]]
                text = "\n".join(config["data"].values())
                self.assertEqual({"/etc/envoy"} | ({"/etc/envoy-tls"} if "/etc/envoy-tls" in text else set()), mounts)
                for name in re.findall(r"/etc/envoy/([\w.-]+)", text):
                    self.assertIn(name, config["data"])
                self.assertEqual(container["args"][:4], ["--config-path", "/etc/envoy/envoy.yaml", "--service-node", "$(NODE_POD_UID)"])


def certificate(directory):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test", "-days", "1",
        "-keyout", f"{directory}/tls.key", "-out", f"{directory}/tls.crt")
    (pathlib.Path(directory) / "ca.crt").write_text((pathlib.Path(directory) / "tls.crt").read_text())


class Cluster(unittest.TestCase):
    """An operator that follows a simulated API server, elects itself, and writes all that it ever writes."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            kubeconfig = f"{directory}/kubeconfig"
            simulator = Process(
                program("kube-api-simulator"), "--kubeconfig-out", kubeconfig, "--crd",
                CHART / "crds/virtualservices.servicemesh.l7mp.io.yaml", awaiting=[r"listening on (\S+)"])
            with simulator:
                kubectl = [TOOLS / "kubectl", "--kubeconfig", kubeconfig]
                for name, spec, finalizers in [
                    ("refused", {"selector": {"app": "x"}, "listeners": [listener("one", {"address": "host:1"})]}, []),
                    ("leaves", {"selector": {"app": "x"}, "listeners": [listener("other")]}, ["l7mp.io/delete"]),
                ]:
                    run(*kubectl, "create", "-f", "-", input=json.dumps({
                        "apiVersion": "servicemesh.l7mp.io/v1", "kind": "VirtualService",
                        "metadata": {"name": name, "namespace": "default", "finalizers": finalizers}, "spec": spec}))
                run(program("xds-operator"), "certificates", "init", f"{directory}/certificates")
                # With TLS, which has metrics of its own.
                serving = ["--kubeconfig", kubeconfig, "--leader-elect", "--lease-namespace=default", "--finalizer-timeout=1",
                           f"--xds-tls-cert={directory}/certificates/server/tls.crt", f"--xds-tls-key={directory}/certificates/server/tls.key"]
                with operator(*serving, "--replica-name=one") as process:
                    with Process(*kubectl, "get", "events.events.k8s.io", "--watch", "--output", "custom-columns=R:.reason", awaiting=["^(Invalid)"]):
                        pass
                    run(*kubectl, "wait", "vsvc/refused", "--for=condition=Accepted=false", "--timeout=30s")
                    # The finalizer goes once the operator has seen the deletion, and with it all that was written before.
                    run(*kubectl, "delete", "vsvc", "leaves", "--wait", "--timeout=30s")
                    cls.metrics = scrape(process.found[0])
                    with operator(*serving, "--replica-name=two") as follower:
                        cls.follower_metrics = scrape(follower.found[0])
                    # A server that streams no lists is asked for them. A lease that is there already is read, then renewed.
                    urllib.request.urlopen(urllib.request.Request(
                        f"{simulator.found[0]}/simulator/settings", data=b'{"streamingListRefusal": 422}'), timeout=10).close()
                    with operator(*serving, "--replica-name=one"):
                        with Process(*kubectl, "get", "leases", "--watch", "--output-watch-events", "--output", "json",
                                     awaiting=['"type": *"(MODIFIED)"']):
                            pass
                cls.asked = pairs(simulator.found[0])

    def test_the_leader_counts_objects_by_condition(self):
        self.assertIn("xds_operator_ready 1\n", self.metrics)
        for condition, status, count in [("Accepted", "False", 1), ("Accepted", "True", 0), ("Programmed", "False", 1), ("Conflicted", "Unknown", 1)]:
            self.assertIn(f'xds_operator_virtualservice_conditions{{condition="{condition}",status="{status}"}} {count}\n', self.metrics)
        self.assertNotIn("virtualservice_conditions", self.follower_metrics)
        # The one that is refused is not in force.
        self.assertIn("xds_operator_virtualservices 0\n", self.metrics)

    def test_rights_are_what_is_asked_for(self):
        """No more, and no less, but for the series of events, which take minutes."""
        granted = {
            (verb, resource)
            for item in render() if item["kind"] in ("ClusterRole", "Role") and "rbac.authorization" in item["apiVersion"]
            and not any("aggregate-to" in label for label in item["metadata"]["labels"])
            for rule in item["rules"] for resource in rule["resources"] for verb in rule["verbs"]
        }
        self.assertLessEqual(self.asked, granted)
        self.assertEqual(granted - self.asked, {("patch", "events")})

    def test_groups_are_what_is_asked_for(self):
        source = "".join(path.read_text() for path in (ROOT / "Sources/Kubernetes").rglob("*.swift"))
        for item in render():
            if item["kind"] in ("ClusterRole", "Role"):
                for group in (g for rule in item["rules"] for g in rule["apiGroups"] if g):
                    self.assertIn(group, source)

    def test_queries_ask_for_what_is_exported(self):
        exported = {line.split()[2] for line in self.metrics.splitlines() if line.startswith("# TYPE ")}
        exported |= {name + suffix for name in exported for suffix in ("_bucket", "_sum", "_count")}
        for where, query in expressions():
            names = set(re.findall(r"\b(?:xds_operator|process)_\w+", query))
            self.assertTrue(names, where)
            self.assertLessEqual(names, exported, where)

    def test_queries_ask_for_labels_that_are_there(self):
        """Those of the program, and those that Prometheus adds to what it scrapes."""
        labels = {"job", "namespace", "pod", "instance"}
        for line in self.metrics.splitlines():
            labels |= set(re.findall(r'[{,](\w+)="', line))
        for where, query in expressions():
            used = set(re.findall(r"(\w+)=~?\"", query)) | {
                label for group in re.findall(r"by \(([^)]*)\)", query) for label in re.split(r",\s*", group)}
            self.assertLessEqual(used, labels, where)

    def test_the_reference_lists_what_is_exported(self):
        families, labels = {}, {}
        for line in self.metrics.splitlines():
            if line.startswith("# "):
                _, what, name, text = line.split(" ", 3)
                families.setdefault(name, {})[what] = text
            else:
                name = re.match(r"\w+", line).group()
                name = name if name in families else re.sub(r"_(bucket|sum|count)$", "", name)
                labels.setdefault(name, set()).update(re.findall(r'[{,](\w+)="', line))
        rows = [f"| `{name}` | {family['TYPE']} | {', '.join(f'`{label}`' for label in sorted(labels[name] - {'le'}))} | {family['HELP']} |"
                for name, family in families.items()]
        listed = [line for line in (ROOT / "docs/metrics.md").read_text().splitlines() if line.startswith("| `")]
        self.assertEqual(listed, rows, "docs/metrics.md should have:\n" + "\n".join(rows))

    def test_promtool_accepts_the_metrics(self):
        run(TOOLS / "promtool", "check", "metrics", input=self.metrics)


def listener(name, host=None):
    return {"name": name, "udp": {"port": 10000, "cluster": {
        "name": f"c-{name}", "service_discovery": "eds", "endpoints": [{"name": "e", "host": host or {"selector": {"app": "w"}}, "port": 1}]}}}


def pairs(url):
    """What the operator has asked of the simulated server, as verbs and resources."""
    log = json.loads(urllib.request.urlopen(f"{url}/simulator/requests", timeout=10).read())
    return {(entry["verb"], entry["resource"]) for entry in log["requests"] if entry["userAgent"].startswith("xds-operator")}
