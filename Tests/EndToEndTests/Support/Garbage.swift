import TestKit

/// Bytes that no Envoy would send.
struct Garbage: Sendable {
    var name: String
    var bytes: [UInt8]
    /// Whether a server must close the connection because of them.
    var endsConnection = true

    static let all: [Garbage] = [
        Garbage(name: "HTTP/1.1", bytes: Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)),
        Garbage(name: "a TLS ClientHello", bytes: [22, 3, 1, 0, 5, 1, 0, 0, 1, 3] + [UInt8](repeating: 3, count: 64)),
        Garbage(name: "noise", bytes: noise(100_000)),
        Garbage(name: "noise after the preface", bytes: preface + noise(10_000)),
        Garbage(name: "a frame of 16 MiB", bytes: preface + settings + [0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]),
        Garbage(name: "DATA on a stream that never was", bytes: preface + settings + [0, 0, 1, 0, 0, 0, 0, 0, 5, 0]),
        Garbage(name: "half a preface", bytes: Array(preface.prefix(10)), endsConnection: false),
        Garbage(name: "no bytes", bytes: [], endsConnection: false),
    ]

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]

    /// The same bytes on every run.
    private static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 42
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }
}

extension Descriptor {
    /// Reads until the peer closes; false when it stays open for `limit` without a byte. Blocks.
    func isClosedByPeer(within limit: Duration) -> Bool {
        while waitReadable(within: limit) {
            guard let bytes = receive(), !bytes.isEmpty else { return true }
        }
        return false
    }
}
