"""What the chart's tests share: rendering with the real helm, and the programs under test."""

import json
import os
import pathlib
import re
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/xds-operator"
CASES = sorted((ROOT / "Tests/Chart/Cases").glob("*.yaml"))
TOOLS = ROOT / ".venv/bin"
NAMESPACE = "media"
RELEASE = "calls"


def run(*arguments, check=True, **options):
    """Runs a program to its end; its output is text."""
    result = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, cwd=ROOT, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))}: status {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def helm(*arguments, **options):
    return run(TOOLS / "helm", *arguments, **options)


def render(*arguments, release=RELEASE, namespace=NAMESPACE):
    """The objects of the chart, those of `crds/` left out."""
    output = helm("template", release, CHART, "--namespace", namespace, *arguments).stdout
    return [document for document in yaml.load_all(output, Loader=Strict) if document]


def of_kind(objects, kind):
    return [item for item in objects if item["kind"] == kind]


class Strict(yaml.CSafeLoader):
    """Refuses a key that is given twice, of which other loaders take the last."""


def _mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise AssertionError(f"{node.start_mark}: given twice: {twice}")
    return loader.construct_mapping(node, deep=True)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def program(name):
    """A program of this package, as it was built; XDS_OPERATOR_BUILD names another directory than .build/debug."""
    path = pathlib.Path(os.environ.get("XDS_OPERATOR_BUILD") or ROOT / ".build/debug") / name
    if not path.exists():
        raise AssertionError(f"{path} is not built: swift build --product {name}")
    return path


class Process:
    """A program that runs until the `with` block ends. `awaiting` is looked for in its output, and its groups are `found`."""

    def __init__(self, *arguments, awaiting, environment=None):
        self.arguments = [str(a) for a in arguments]
        self.awaiting = [re.compile(pattern) for pattern in awaiting]
        self.environment = environment or {}
        self.found = []

    def __enter__(self):
        self.process = subprocess.Popen(
            self.arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
            env={**os.environ, **self.environment})
        lines = []
        missing = dict(enumerate(self.awaiting))
        groups = {}
        for line in self.process.stdout:
            lines.append(line)
            for index, pattern in list(missing.items()):
                if match := pattern.search(line):
                    groups[index] = match.group(1)
                    del missing[index]
            if not missing:
                self.found = [groups[index] for index in sorted(groups)]
                return self
        raise AssertionError(f"{self.arguments[0]} ended early:\n{''.join(lines)}")

    def __exit__(self, *_):
        self.process.terminate()
        # Read on, lest a full pipe keep it from ending.
        self.process.communicate(timeout=30)


def operator(*arguments, environment=None):
    """A running `xds-operator serve` that has read everything; finds its ports of metrics, of probes, and of xDS at the end."""
    return Process(
        program("xds-operator"), "serve", "--xds-bind-address=127.0.0.1:0", "--metrics-bind-address=127.0.0.1:0",
        "--health-probe-bind-address=127.0.0.1:0", "--loops=1", "--log-format=json", *arguments, environment=environment,
        awaiting=[r'"metrics listening".*?127\.0\.0\.1:(\d+)', r'"probes listening".*?127\.0\.0\.1:(\d+)', "(ready): all objects",
                  r'"xDS server listening".*?127\.0\.0\.1:(\d+)'])


def read_json(path):
    return json.loads((ROOT / path).read_text())
