"""Streams of a client, written with official messages, and the register of checks."""

import importlib
import itertools
import queue
import threading
import time

import grpc
from envoy.service.cluster.v3 import cds_pb2_grpc
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from envoy.service.endpoint.v3 import eds_pb2_grpc
from envoy.service.listener.v3 import lds_pb2_grpc
from google.rpc import status_pb2

PREFIX = "type.googleapis.com/envoy.config."
CDS = PREFIX + "cluster.v3.Cluster"
EDS = PREFIX + "endpoint.v3.ClusterLoadAssignment"
LDS = PREFIX + "listener.v3.Listener"
MODULES = {
    CDS: "envoy.config.cluster.v3.cluster_pb2",
    EDS: "envoy.config.endpoint.v3.endpoint_pb2",
    LDS: "envoy.config.listener.v3.listener_pb2",
}
# How long an answer may take, and how long silence is watched, in seconds.
PATIENCE, SILENCE = 10, 0.3

CHECKS = []
COUNTER = itertools.count()


def check(section, needs=None):
    """Registers a check under the title of a section of the xDS protocol document.

    `needs` names the option without which the check is left out: "manifests" or "replica".
    """

    def register(function):
        CHECKS.append((section, function.__name__.replace("_", " "), function, needs))
        return function

    return register


def decode(type_url, value):
    return getattr(importlib.import_module(MODULES[type_url]), type_url.rsplit(".", 1)[1]).FromString(value)


def resources(response):
    """The decoded resources of a response by name. A name that comes twice is an error."""
    found = {}
    for resource in response.resources:
        value = resource.resource.value if hasattr(resource, "resource") else resource.value
        message = decode(response.type_url, value)
        name = message.cluster_name if response.type_url == EDS else message.name
        assert name not in found, f"{name} comes twice in one response"
        assert getattr(resource, "name", name) == name, f"{name} comes under the name {resource.name}"
        found[name] = message
    return found


def names(response):
    return set(resources(response))


class Stream:
    """One bidirectional stream; the first request carries the node."""

    def __init__(self, method, node, request_class):
        self.requests, self.responses = queue.Queue(), queue.Queue()
        self.node, self.request_class = node, request_class
        # By this the server's account of its clients tells streams of one node apart.
        self.cluster = f"conformance-{next(COUNTER)}"
        self.call = method(iter(self.requests.get, None))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for response in self.call:
                self.responses.put(response)
            self.responses.put(None)
        except grpc.RpcError as error:
            self.responses.put(error)

    def send(self, type_url, error=None, **fields):
        request = self.request_class(type_url=type_url, **fields)
        if self.node:
            request.node.id, request.node.cluster, self.node = self.node, self.cluster, None
        if error:
            request.error_detail.CopyFrom(status_pb2.Status(code=13, message=error))
        self.requests.put(request)

    def receive(self, timeout=PATIENCE):
        try:
            response = self.responses.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no response within {timeout} s") from None
        if isinstance(response, grpc.RpcError):
            raise response
        assert response is not None, "the server ended the stream"
        return response

    def ask(self, type_url, **fields):
        """Sends a request and returns the next response, which must be of that type."""
        self.send(type_url, **fields)
        response = self.receive()
        assert response.type_url == type_url, response.type_url
        assert response.nonce, "a response has a nonce"
        return response

    def ack(self, response, **fields):
        if self.request_class is discovery_pb2.DiscoveryRequest:
            fields.setdefault("version_info", response.version_info)
        self.send(response.type_url, response_nonce=response.nonce, **fields)

    def expect_silence(self, why, seconds=SILENCE):
        try:
            got = self.responses.get(timeout=seconds)
        except queue.Empty:
            return
        raise AssertionError(f"{why}, but there came: {str(got)[:500]}")

    def half_close(self):
        self.requests.put(None)

    def end(self):
        """The status with which the server ends the stream, and whatever comes before it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                response = self.responses.get(timeout=PATIENCE)
            except queue.Empty:
                break
            if response is None:
                return grpc.StatusCode.OK
            if isinstance(response, grpc.RpcError):
                return response.code()
        raise AssertionError("the server does not end the stream")

    def close(self):
        self.call.cancel()


class Server:
    """The server under test, as one client reaches it."""

    def __init__(self, address, node, manifests=None, replica=None):
        # As for Envoy, no response is too large.
        self.options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.address, self.node, self.manifests, self.replica_address = address, node, manifests, replica
        self.channel = grpc.insecure_channel(address, self.options)
        self.streams = []

    def connect(self, address=None):
        """A connection of its own."""
        options = self.options + [("grpc.use_local_subchannel_pool", 1)]
        return Server.on(grpc.insecure_channel(address or self.address, options), self)

    @staticmethod
    def on(channel, other):
        server = Server(other.address, other.node)
        server.channel = channel
        other.streams.append(server)
        return server

    def replica(self):
        return self.connect(self.replica_address)

    def open(self, method, node, request_class):
        stream = Stream(method, self.node if node is None else node, request_class)
        self.streams.append(stream)
        return stream

    def sotw(self, node=None):
        ads = ads_pb2_grpc.AggregatedDiscoveryServiceStub(self.channel)
        return self.open(ads.StreamAggregatedResources, node, discovery_pb2.DiscoveryRequest)

    def delta(self, node=None):
        ads = ads_pb2_grpc.AggregatedDiscoveryServiceStub(self.channel)
        return self.open(ads.DeltaAggregatedResources, node, discovery_pb2.DeltaDiscoveryRequest)

    def both(self, node=None):
        return [self.sotw(node), self.delta(node)]

    def separate(self):
        """The stub, the noun in its methods and the type of each service that has one type only."""
        return [
            (cds_pb2_grpc.ClusterDiscoveryServiceStub(self.channel), "Clusters", CDS),
            (eds_pb2_grpc.EndpointDiscoveryServiceStub(self.channel), "Endpoints", EDS),
            (lds_pb2_grpc.ListenerDiscoveryServiceStub(self.channel), "Listeners", LDS),
        ]

    def close(self):
        """Ends all that a check opened."""
        for stream in self.streams:
            stream.channel.close() if isinstance(stream, Server) else stream.close()
        self.streams = []


def removed(response, before):
    """What a response says is gone: by name in the incremental form, by absence otherwise."""
    if hasattr(response, "removed_resources"):
        return set(response.removed_resources)
    return set(before) - names(response)
