/// The types of resources that a simulated Envoy asks for.
public enum ResourceKind: Int, CaseIterable, Sendable {
    case cluster
    case endpoint
    case listener

    static let urls: [[UInt8]] = [
        Array("type.googleapis.com/envoy.config.cluster.v3.Cluster".utf8),
        Array("type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment".utf8),
        Array("type.googleapis.com/envoy.config.listener.v3.Listener".utf8),
    ]

    var url: [UInt8] { Self.urls[rawValue] }

    /// The kind of a type URL: the three differ in length already.
    init?(url: UnsafeRawBufferPointer) {
        guard let index = Self.urls.firstIndex(where: { $0.count == url.count && url.elementsEqual($0) }) else { return nil }
        self.init(rawValue: index)
    }
}
