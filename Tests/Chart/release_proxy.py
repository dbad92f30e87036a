"""Stands before the simulated API server and turns protobuf into JSON, which alone that reads, so that helm can keep its releases.

helm writes Secrets in protobuf and everything else in JSON. Answers are JSON, which it takes as well.
"""

import base64
import http.client
import http.server
import json
import threading
import urllib.parse

PROTOBUF = "application/vnd.kubernetes.protobuf"


def fields(data):
    """The fields of a message: number, and bytes or an integer."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while position < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            length = varint()
            yield key >> 3, data[position:position + length]
            position += length
        else:
            raise ValueError(f"wire type {key & 7}")


def entry(data):
    parts = dict(fields(data))
    return parts.get(1, b"").decode(), parts.get(2, b"")


def metadata(data):
    result = {"labels": {}, "annotations": {}}
    for number, value in fields(data):
        # By generated.proto of k8s.io/apimachinery.
        if number in (1, 3, 5, 6):
            result[{1: "name", 3: "namespace", 5: "uid", 6: "resourceVersion"}[number]] = value.decode()
        elif number in (11, 12):
            key, text = entry(value)
            result["labels" if number == 11 else "annotations"][key] = text.decode()
    return {key: value for key, value in result.items() if value}


def secret(data):
    result = {"apiVersion": "v1", "kind": "Secret", "data": {}}
    for number, value in fields(data):
        if number == 1:
            result["metadata"] = metadata(value)
        elif number == 2:
            key, content = entry(value)
            result["data"][key] = base64.b64encode(content).decode()
        elif number == 3:
            result["type"] = value.decode()
    return result


def options(kind, data):
    """The options of a deletion, of which only the way of it matters here."""
    policy = dict(fields(data)).get(4)
    return {"apiVersion": "v1", "kind": kind} | ({"propagationPolicy": policy.decode()} if policy else {})


def json_of(body):
    """The JSON of an object in Kubernetes' protobuf envelope."""
    unknown = dict(fields(body.removeprefix(b"k8s\0")))
    kind = dict(fields(unknown[1]))[2].decode()
    message = unknown.get(2, b"")
    if kind not in ("Secret", "DeleteOptions"):
        raise ValueError(f"{kind} in protobuf")
    return json.dumps(secret(message) if kind == "Secret" else options(kind, message)).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length", "accept-encoding")}
        if headers.get("Content-Type") == PROTOBUF:
            body, headers["Content-Type"] = json_of(body), "application/json"
        if PROTOBUF in headers.get("Accept", ""):
            headers["Accept"] = "application/json"
        connection = http.client.HTTPConnection(self.server.upstream, timeout=30)
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

    def log_message(self, *_):
        pass


class Proxy:
    """A proxy in front of `upstream`, a URL; has a `url` of its own until the `with` block ends."""

    def __init__(self, upstream):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.upstream = urllib.parse.urlparse(upstream).netloc
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
