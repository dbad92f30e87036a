"""Objects of a check's own, written into the directory of manifests that the server follows, and a client that follows them."""

import contextlib
import itertools
import json
import os
import queue
import tempfile
import time

from checks.client import CDS, EDS, LDS, PATIENCE, names

counter = itertools.count()


class Stage:
    """A pod with an Envoy, and calls for it: nobody else's."""

    def __init__(self, server):
        self.server, self.files = server, set()
        self.number = next(counter)
        self.name = f"conformance-{os.getpid()}-{self.number}"
        self.node = f"uid-{self.name}"

    def write(self, name, document):
        path = os.path.join(self.server.manifests, f"{self.name}-{name}.yaml")
        # Written elsewhere, so that nobody reads half a file.
        with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(os.path.abspath(self.server.manifests)), delete=False) as draft:
            json.dump(document, draft)
        os.chmod(draft.name, 0o644)
        os.replace(draft.name, path)
        self.files.add(path)

    def remove(self, name):
        path = os.path.join(self.server.manifests, f"{self.name}-{name}.yaml")
        os.remove(path)
        self.files.discard(path)

    def pod(self, labels=None):
        """The pod of the Envoy; by default with the labels that calls select."""
        labels = {"conformance": self.name} if labels is None else labels
        self.write("pod", self.pod_document(self.name, self.node, labels, "127.0.0.1"))

    def worker(self, name, address, group="all"):
        document = self.pod_document(f"{self.name}-{name}", f"uid-{self.name}-{name}", {f"worker-{group}": self.name}, address)
        self.write(name, document)

    @staticmethod
    def pod_document(name, uid, labels, address):
        return {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", "uid": uid, "labels": labels},
            "spec": {"containers": [{"name": "envoy", "image": "envoyproxy/envoy"}]},
            "status": {
                "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }

    def call(self, name, port=10000, group="all", **cluster_fields):
        """One listener `l-name` and its cluster `c-name`, whose endpoints are the workers of a group."""
        cluster = {
            "name": f"c-{name}", "service_discovery": "eds", "hash_key": "key", **cluster_fields,
            "endpoints": [{"name": f"e-{name}", "host": {"selector": {f"worker-{group}": self.name}}, "port": 4000}],
        }
        self.write(name, {
            "apiVersion": "servicemesh.l7mp.io/v1", "kind": "VirtualService",
            "metadata": {"name": f"{self.name}-{name}", "namespace": "default"},
            "spec": {
                "selector": {"conformance": self.name},
                "listeners": [{"name": f"l-{name}", "udp": {"port": port, "cluster": cluster}}],
            },
        })

    def follow(self, stream):
        return Follower(stream)

    def followers(self):
        return [Follower(self.server.sotw(self.node)), Follower(self.server.delta(self.node))]


@contextlib.contextmanager
def stage(server, selected=True):
    """A stage with its pod, which is cleared away at the end."""
    stage = Stage(server)
    try:
        if selected:
            stage.pod()
        yield stage
    finally:
        for path in stage.files:
            os.remove(path)


class Follower:
    """A client that behaves as Envoy does: it wants all clusters and listeners, and the endpoints of its clusters, and takes all."""

    def __init__(self, stream):
        self.stream, self.events = stream, []
        self.is_sotw = stream.request_class.DESCRIPTOR.name == "DiscoveryRequest"
        self.held = {CDS: {}, EDS: {}, LDS: {}}
        self.asked, self.last, self.version = set(), {}, {}
        stream.send(CDS)
        stream.send(LDS)

    def until(self, condition, what, timeout=PATIENCE):
        """Takes what comes until the condition holds; returns the events since it was called."""
        begin, deadline = len(self.events), time.monotonic() + timeout
        while not condition(self):
            try:
                response = self.stream.responses.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{'SotW' if self.is_sotw else 'delta'}: not {what}; got {self.events}") from None
            if response is None or isinstance(response, Exception):
                raise AssertionError(f"the stream ended: {response}")
            self.take(response)
        return self.events[begin:]

    def settle(self, seconds=0.3):
        """Takes what comes for a while."""
        deadline = time.monotonic() + seconds
        while (rest := deadline - time.monotonic()) > 0:
            try:
                self.take(self.stream.responses.get(timeout=rest))
            except queue.Empty:
                return

    def take(self, response):
        kind, held = response.type_url, self.held[response.type_url]
        new = names(response)
        if self.is_sotw:
            gone = set(held) - new if kind != EDS else set()
            versions = {name: None for name in new}
        else:
            gone = set(response.removed_resources)
            versions = {resource.name: resource.version for resource in response.resources}
        for name in gone:
            held.pop(name, None)
        held.update(versions)
        self.events.append((kind.rsplit(".", 1)[1], sorted(new), sorted(gone)))
        self.last[kind] = response
        self.answer(response)
        if kind == CDS:
            self.ask_for_endpoints()

    def answer(self, response):
        if self.is_sotw:
            wanted = sorted(self.asked) if response.type_url == EDS else []
            self.stream.ack(response, resource_names=wanted)
        else:
            self.stream.ack(response)

    def ask_for_endpoints(self):
        clusters = set(self.held[CDS])
        if clusters == self.asked:
            return
        new, gone = clusters - self.asked, self.asked - clusters
        self.asked = clusters
        if self.is_sotw:
            last = self.last.get(EDS)
            nonce = {"response_nonce": last.nonce, "version_info": last.version_info} if last else {}
            self.stream.send(EDS, resource_names=sorted(clusters), **nonce)
        else:
            self.stream.send(EDS, resource_names_subscribe=sorted(new), resource_names_unsubscribe=sorted(gone))

    def has(self, kind, *wanted):
        return set(self.held[kind]) == set(wanted)
