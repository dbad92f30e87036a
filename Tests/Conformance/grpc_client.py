#!/usr/bin/env python3
"""Dials `xds:///NAME` with gRPC's own xDS client, whose management server is ADDRESS, and prints the outcome of a call.

    grpc_client.py ADDRESS NODE_ID NAME SECONDS

Such a client asks for the listener NAME alone, and wants an API listener; this server has none.
"""

import json
import os
import sys
import tempfile

address, node, name, seconds = sys.argv[1:]
bootstrap = {
    "xds_servers": [{"server_uri": address, "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}],
    "node": {"id": node},
}
with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
    json.dump(bootstrap, file)
# gRPC reads the variable when it is loaded.
os.environ["GRPC_XDS_BOOTSTRAP"] = file.name

import grpc  # noqa: E402

try:
    channel = grpc.insecure_channel(f"xds:///{name}")
    channel.unary_unary("/example.Service/Method")(b"", timeout=float(seconds), wait_for_ready=False)
    print("ANSWERED", flush=True)
except grpc.RpcError as error:
    print(error.code().name, error.details(), flush=True)
finally:
    os.remove(file.name)
# The client's threads must not keep the program.
os._exit(0)
