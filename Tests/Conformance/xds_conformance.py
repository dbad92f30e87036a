#!/usr/bin/env python3
"""Speaks to an xDS server as a client would, with official messages, and checks the rules of the xDS protocol.

    xds_conformance.py ADDRESS NODE_ID

The server must give the node at least two listeners and two clusters whose endpoints go by EDS, and must not change them meanwhile.
Each check is named after the section of the xDS protocol document that it checks. Prints one line a check; exits 1 on a failure.
"""

import queue
import sys
import threading

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
# How long an answer may take, and how long silence is watched, in seconds.
PATIENCE, SILENCE = 5, 0.3


class Stream:
    """One bidirectional stream; the first request carries the node."""

    def __init__(self, method, node, request_class):
        self.requests, self.responses = queue.Queue(), queue.Queue()
        self.node, self.request_class = node, request_class
        self.call = method(iter(self.requests.get, None))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for response in self.call:
                self.responses.put(response)
        except grpc.RpcError as error:
            self.responses.put(error)

    def send(self, type_url, error=None, **fields):
        request = self.request_class(type_url=type_url, **fields)
        if self.node:
            request.node.id, self.node = self.node, None
        if error:
            request.error_detail.CopyFrom(status_pb2.Status(code=13, message=error))
        self.requests.put(request)

    def receive(self):
        response = self.responses.get(timeout=PATIENCE)
        if isinstance(response, grpc.RpcError):
            raise response
        return response

    def ask(self, type_url, **fields):
        self.send(type_url, **fields)
        response = self.receive()
        assert response.type_url == type_url, response.type_url
        assert response.nonce, "a response has a nonce"
        return response

    def is_silent(self):
        try:
            got = self.responses.get(timeout=SILENCE)
        except queue.Empty:
            return True
        raise AssertionError(f"unexpected: {got}")

    def close(self):
        self.call.cancel()


class Checks:
    def __init__(self, address, node):
        self.channel, self.node = grpc.insecure_channel(address), node
        ads = ads_pb2_grpc.AggregatedDiscoveryServiceStub(self.channel)
        self.sotw_method, self.delta_method = ads.StreamAggregatedResources, ads.DeltaAggregatedResources

    def sotw(self):
        return Stream(self.sotw_method, self.node, discovery_pb2.DiscoveryRequest)

    def delta(self):
        return Stream(self.delta_method, self.node, discovery_pb2.DeltaDiscoveryRequest)

    def names(self, response):
        kinds = {CDS: "envoy.config.cluster.v3.cluster", EDS: "envoy.config.endpoint.v3.endpoint", LDS: "envoy.config.listener.v3.listener"}
        module = __import__(kinds[response.type_url] + "_pb2", fromlist=["x"])
        message = getattr(module, response.type_url.rsplit(".", 1)[1])
        decoded = [message.FromString(resource.value) for resource in response.resources]
        return {getattr(resource, "cluster_name", "") or resource.name for resource in decoded} if response.type_url != EDS else {
            resource.cluster_name for resource in decoded}

    # State of the world

    def ack_and_nack_ack(self):
        stream = self.sotw()
        response = stream.ask(CDS)
        assert len(response.resources) >= 2 and response.version_info
        stream.send(CDS, version_info=response.version_info, response_nonce=response.nonce)
        assert stream.is_silent(), "an ACK gets no answer"

    def ack_and_nack_stale_nonce_is_ignored(self):
        stream = self.sotw()
        first = stream.ask(CDS)
        names = sorted(self.names(first))
        second = stream.ask(CDS, version_info=first.version_info, response_nonce=first.nonce, resource_names=names[:1])
        assert second.nonce != first.nonce
        stream.send(CDS, response_nonce=first.nonce, resource_names=names)
        assert stream.is_silent(), "a stale nonce gets no answer"

    def resource_versions_are_stable(self):
        assert self.sotw().ask(LDS).version_info == self.sotw().ask(LDS).version_info

    def wildcard_legacy_and_explicit_agree(self):
        assert self.names(self.sotw().ask(LDS)) == self.names(self.sotw().ask(LDS, resource_names=["*"]))

    def wildcard_with_names_and_unsubscribing_from_it(self):
        stream = self.sotw()
        everything = stream.ask(LDS, resource_names=["*"])
        name = sorted(self.names(everything))[0]
        both = stream.ask(LDS, response_nonce=everything.nonce, resource_names=["*", name, name])
        assert self.names(both) == self.names(everything)
        stream.send(LDS, response_nonce=both.nonce, resource_names=[name])
        assert stream.is_silent(), "giving up the wildcard gets no answer"

    def eds_names_are_sets_and_answers_are_subsets(self):
        stream = self.sotw()
        names = sorted(self.names(stream.ask(CDS)))
        one = stream.ask(EDS, resource_names=names[:1])
        assert self.names(one) == set(names[:1])
        two = stream.ask(EDS, response_nonce=one.nonce, version_info=one.version_info, resource_names=names[1:2] + names[:1] * 2)
        assert names[1] in self.names(two)
        stream.send(EDS, response_nonce=two.nonce, version_info=two.version_info, resource_names=names[:2])
        assert stream.is_silent(), "the same names in another order get no answer"
        stream.send(EDS, response_nonce=two.nonce, version_info=two.version_info, resource_names=names[:1])
        assert stream.is_silent(), "a shorter list gets no answer"
        again = stream.ask(EDS, response_nonce=two.nonce, version_info=two.version_info, resource_names=names[:2])
        assert names[1] in self.names(again), "a resubscription is answered though the version matches"

    def resources_that_do_not_exist_are_absent(self):
        assert not self.sotw().ask(EDS, resource_names=["nobody"]).resources

    def ack_and_nack_a_culprit_is_left_out(self):
        stream = self.sotw()
        first = stream.ask(LDS)
        culprit = sorted(self.names(first))[0]
        second = stream.ask(LDS, response_nonce=first.nonce, error=f"Error adding/updating listener(s) {culprit}: no")
        assert self.names(second) == self.names(first) - {culprit}

    def ack_and_nack_an_unnamed_culprit_is_found(self):
        stream = self.sotw()
        response = stream.ask(LDS)
        everything, culprit = self.names(response), sorted(self.names(response))[0]
        for _ in range(64):
            if culprit in self.names(response):
                response = stream.ask(LDS, response_nonce=response.nonce, error="no")
            elif self.names(response) == everything - {culprit}:
                return
            else:
                response = stream.ask(LDS, response_nonce=response.nonce, version_info=response.version_info)
        raise AssertionError("the others do not arrive")

    def unknown_types_are_answered_empty(self):
        for stream in (self.sotw(), self.delta()):
            assert not stream.ask("type.googleapis.com/example.Unknown").resources
            assert stream.ask(CDS).resources, "the stream lives"

    # Incremental

    def incremental_reconnect_sends_differences_only(self):
        first = self.delta().ask(CDS)
        versions = {resource.name: resource.version for resource in first.resources}
        kept, lost = sorted(versions)[0], sorted(versions)[1]
        known = {name: version for name, version in versions.items() if name != lost}
        known["gone"] = "1"
        stream = self.delta()
        second = stream.ask(CDS, initial_resource_versions=known)
        assert kept not in {resource.name for resource in second.resources}
        assert lost in {resource.name for resource in second.resources}
        removed = set(second.removed_resources)
        if not removed:
            stream.send(CDS, response_nonce=second.nonce)
            removed = set(stream.receive().removed_resources)
        assert removed == {"gone"}

    def incremental_names_that_do_not_exist_are_removed(self):
        assert list(self.delta().ask(EDS, resource_names_subscribe=["nobody"]).removed_resources) == ["nobody"]

    def incremental_resubscription_is_answered(self):
        stream = self.delta()
        name = stream.ask(CDS).resources[0].name
        first = stream.ask(EDS, resource_names_subscribe=[name])
        second = stream.ask(EDS, response_nonce=first.nonce, resource_names_subscribe=[name])
        assert [resource.name for resource in second.resources] == [name]

    def incremental_ack_with_a_subscription_change(self):
        stream = self.delta()
        names = sorted(resource.name for resource in stream.ask(CDS).resources)
        first = stream.ask(EDS, resource_names_subscribe=names[:1])
        second = stream.ask(EDS, response_nonce=first.nonce, resource_names_subscribe=names[1:2])
        assert [resource.name for resource in second.resources] == names[1:2]

    # Separate services

    def separate_services_stream_delta_and_fetch(self):
        for stub, noun, url in (
            (cds_pb2_grpc.ClusterDiscoveryServiceStub(self.channel), "Clusters", CDS),
            (lds_pb2_grpc.ListenerDiscoveryServiceStub(self.channel), "Listeners", LDS),
        ):
            stream = Stream(getattr(stub, "Stream" + noun), self.node, discovery_pb2.DiscoveryRequest)
            delta = Stream(getattr(stub, "Delta" + noun), self.node, discovery_pb2.DeltaDiscoveryRequest)
            request = discovery_pb2.DiscoveryRequest(node={"id": self.node})
            fetched = getattr(stub, "Fetch" + noun)(request, timeout=PATIENCE)
            assert self.names(stream.ask(url)) == self.names(fetched)
            assert {resource.name for resource in delta.ask(url).resources} == self.names(fetched)
        stub = eds_pb2_grpc.EndpointDiscoveryServiceStub(self.channel)
        stream = Stream(stub.StreamEndpoints, self.node, discovery_pb2.DiscoveryRequest)
        assert not stream.ask(EDS, resource_names=["nobody"]).resources

    def separate_services_refuse_other_types(self):
        stub = cds_pb2_grpc.ClusterDiscoveryServiceStub(self.channel)
        stream = Stream(stub.StreamClusters, self.node, discovery_pb2.DiscoveryRequest)
        try:
            stream.ask(LDS)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
            return
        raise AssertionError("the other type was answered")

    def many_streams_end_apart(self):
        streams = [self.delta() for _ in range(20)]
        for stream in streams:
            stream.ask(CDS)
        for stream in streams[::2]:
            stream.close()
        for stream in streams[1::2]:
            assert stream.ask(LDS).resources

    def health_is_serving(self):
        for method in ("Check", "Watch"):
            path = f"/grpc.health.v1.Health/{method}"
            if method == "Check":
                assert self.channel.unary_unary(path)(b"", timeout=PATIENCE) == b"\x08\x01"
            else:
                assert next(self.channel.unary_stream(path)(b"", timeout=PATIENCE)) == b"\x08\x01"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    checks = Checks(*sys.argv[1:])
    names = [name for name, value in vars(Checks).items() if callable(value) and name not in ("__init__", "sotw", "delta", "names")]
    failures = 0
    for name in names:
        try:
            getattr(checks, name)()
            print(f"ok      {name}", flush=True)
        except Exception as error:  # noqa: BLE001: whatever is wrong with a check, the others run.
            failures += 1
            print(f"FAILED  {name}: {type(error).__name__} {error}", flush=True)
    print(f"{len(names) - failures} of {len(names)} checks passed")
    # Threads of open streams must not keep the program.
    sys.stdout.flush()
    import os

    os._exit(1 if failures else 0)


if __name__ == "__main__":
    main()
