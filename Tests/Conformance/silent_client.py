#!/usr/bin/env python3
"""Asks a server for everything, reads the answers, acknowledges none, and prints how its stream ends.

    silent_client.py ADDRESS NODE_ID
"""

import queue
import sys

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

address, node = sys.argv[1:]
requests = queue.Queue()
requests.put(
    discovery_pb2.DeltaDiscoveryRequest(node={"id": node}, type_url="type.googleapis.com/envoy.config.cluster.v3.Cluster"))
stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(grpc.insecure_channel(address))
try:
    for response in stub.DeltaAggregatedResources(iter(requests.get, None), timeout=30):
        print(f"{len(response.resources)} resources", flush=True)
    print("OK", flush=True)
except grpc.RpcError as error:
    print(error.code().name, error.details(), flush=True)
finally:
    # The thread that sends must not keep the program.
    requests.put(None)
