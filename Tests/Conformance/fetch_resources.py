"""Fetches all resources of a node by delta ADS and prints each one's type, name, version and the digest of its bytes, sorted.

Usage: fetch_resources.py ADDRESS NODE_ID. Equal outputs of two servers mean equal bytes and versions.
"""

import hashlib
import queue
import sys

import grpc
from envoy.config.cluster.v3 import cluster_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

PREFIX = "type.googleapis.com/envoy.config."
CDS = PREFIX + "cluster.v3.Cluster"
EDS = PREFIX + "endpoint.v3.ClusterLoadAssignment"
LDS = PREFIX + "listener.v3.Listener"


def main():
    address, node = sys.argv[1:]
    requests = queue.Queue()
    stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(grpc.insecure_channel(address))
    stream = stub.DeltaAggregatedResources(iter(requests.get, None), timeout=30)

    def fetch(type_url, names=()):
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url, resource_names_subscribe=names)
        request.node.id = node
        requests.put(request)
        for response in stream:
            requests.put(
                discovery_pb2.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
            )
            if response.type_url == type_url:
                return list(response.resources)
        raise AssertionError(f"no answer about {type_url}")

    clusters = fetch(CDS)
    names = [cluster_pb2.Cluster.FromString(cluster.resource.value).name for cluster in clusters]
    lines = []
    for type_url, resources in [(CDS, clusters), (EDS, fetch(EDS, names)), (LDS, fetch(LDS))]:
        for resource in resources:
            digest = hashlib.sha256(resource.resource.value).hexdigest()
            lines.append(f"{type_url.split('.')[-1]} {resource.name} {resource.version} {digest}")
    print("\n".join(sorted(lines)))
    stream.cancel()


main()
