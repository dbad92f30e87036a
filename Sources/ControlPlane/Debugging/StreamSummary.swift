public import XDS

/// A connected Envoy's stream, for people who look for what is wrong.
public struct StreamSummary: Sendable, Encodable {
    /// The node id that the Envoy gave.
    public let node: String
    /// The cluster that it gave.
    public let cluster: String
    /// Its address and port.
    public let peer: String
    /// `aggregated`, or the type that the service has.
    public let service: String
    /// `delta`, `sotw` or `unary`.
    public let form: String
    /// Whether no known pod has the node id: then it gets nothing.
    public let isWaiting: Bool
    /// Of each type that it asked for, how far it is.
    public let types: [TypeSummary]
}

extension DiscoveryService {
    /// The streams whose node id is `node`, or all of them; at most `limit`, and how many there are.
    public func streams(of node: String? = nil, limit: Int) async -> (streams: [StreamSummary], count: Int) {
        let filter = NodeFilter(exact: node)
        var descriptions: [StreamDescription] = []
        for broadcaster in allBroadcasters { descriptions += await broadcaster.describe(filter) }
        let summaries = descriptions.sorted { ($0.nodeID, $0.peer) < ($1.nodeID, $1.peer) }.prefix(limit).map { stream in
            StreamSummary(
                node: stream.nodeID, cluster: stream.nodeCluster, peer: stream.peer, service: stream.method.serviceName,
                form: stream.method.formName, isWaiting: stream.account.group == nil, types: stream.account.types.map(\.summary))
        }
        return (summaries, descriptions.count)
    }
}
