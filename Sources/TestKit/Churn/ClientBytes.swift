/// What an Envoy says at first, as bytes, for clients that come and go by the thousand.
public enum ClientBytes {
    /// A form of the aggregated discovery service.
    public enum Form: CaseIterable, Sendable {
        /// Changes.
        case delta
        /// Whole states.
        case stateOfTheWorld
    }

    /// The preface, and a stream on which `node` asks for all clusters.
    public static func request(_ form: Form, node: String) -> [UInt8] {
        let method = form == .delta ? "DeltaAggregatedResources" : "StreamAggregatedResources"
        let fields = [
            (":method", "POST"), (":scheme", "http"),
            (":path", "/envoy.service.discovery.v3.AggregatedDiscoveryService/\(method)"),
            (":authority", "xds"), ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        // Literals without indexing, neither name nor value in Huffman code (RFC 7541, section 6.2.2).
        var block: [UInt8] = []
        for (name, value) in fields { block += [0] + text(name) + text(value) }
        let id = field(1, Array(node.utf8))
        let type = Array("type.googleapis.com/envoy.config.cluster.v3.Cluster".utf8)
        let message = form == .delta ? field(1, id) + field(2, type) : field(2, id) + field(4, type)
        let count = UInt8(clamping: message.count)
        return HTTP2Bytes.preface + HTTP2Bytes.settings + frame(1, flags: 4, block)
            + frame(0, [0, 0, 0, 0, count] + message)
    }

    /// END_STREAM on the stream.
    public static let end = frame(0, flags: 1, [])
    /// RST_STREAM with CANCEL.
    public static let reset = frame(3, [0, 0, 0, 8])

    /// A frame on stream 1.
    private static func frame(_ type: UInt8, flags: UInt8 = 0, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, 1] + payload
    }

    /// A string of fewer than 127 bytes.
    private static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }

    /// A length-delimited field of fewer than 128 bytes.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
}
