/// The two forms of the discovery protocol.
public enum DiscoveryForm: String, CaseIterable, Sendable {
    /// Changes only.
    case delta
    /// State of the world.
    case stateOfTheWorld = "sotw"

    var path: String {
        switch self {
        case .delta: "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
        case .stateOfTheWorld: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
        }
    }
}

/// What all simulated Envoys of a crowd have in common.
public final class EnvoyProfile {
    /// The form they speak.
    public let form: DiscoveryForm
    /// Whether only the first request of a stream carries the node (`set_node_on_first_message_only`).
    public let sendsNodeOnce: Bool
    /// Names and versions that they have been told.
    public let names = NameTable()
    /// The header block of a stream's request.
    let requestFields: [UInt8]
    private let nodeMetadata: [UInt8]

    /// Makes a profile.
    /// - Parameters:
    ///   - nodeByteCount: how large each node is at least; real ones have kilobytes of extensions, or a mesh's metadata.
    ///   - scheme: `http`, or `https` over TLS.
    public init(
        form: DiscoveryForm, sendsNodeOnce: Bool = true, nodeByteCount: Int = 0, authority: String, scheme: String = "http"
    ) {
        self.form = form
        self.sendsNodeOnce = sendsNodeOnce
        requestFields = HeaderBlock.request(path: form.path, authority: authority, scheme: scheme)
        nodeMetadata = Self.padding(nodeByteCount)
    }

    /// The `Node` message of the Envoy that calls itself `id`.
    func node(_ id: String) -> [UInt8] {
        var node: [UInt8] = []
        node.appendField(1, id.utf8)
        node.appendField(2, "load".utf8)
        node.appendField(3, nodeMetadata)
        node.appendField(6, "envoy".utf8)
        return node
    }

    /// A `Struct` with one string of `count` bytes.
    private static func padding(_ count: Int) -> [UInt8] {
        guard count > 0 else { return [] }
        var value: [UInt8] = []
        value.appendField(3, [UInt8](repeating: UInt8(ascii: "x"), count: count))
        var entry: [UInt8] = []
        entry.appendField(1, "padding".utf8)
        entry.appendMessage(2, value)
        var metadata: [UInt8] = []
        metadata.appendMessage(1, entry)
        return metadata
    }
}
