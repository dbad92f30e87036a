public import SimulatedEnvoy

/// How a simulated Envoy behaves once it is complete.
public enum Behaviour: String, CaseIterable, Sendable {
    /// Reads at once and acknowledges everything.
    case steady
    /// Reads a few kilobytes now and then.
    case slow
    /// Rejects every response.
    case rejecting
    /// Breaks its connection now and then and comes back with what it has.
    case reconnecting
}

/// Who connects to what, and how they behave.
public struct CrowdOptions: Sendable {
    /// The server.
    public var address: ServerAddress
    /// What TLS needs; nil for plaintext.
    public var tls: TLSFiles?
    /// The id of each Envoy, one stream each.
    public var nodeIDs: [String]
    /// Streams of one connection.
    public var streamsPerConnection = 1
    /// The form of the protocol.
    public var form = DiscoveryForm.delta
    /// Whether the node goes with the first request of a stream only.
    public var sendsNodeOnce = true
    /// Bytes of padding in each node.
    public var nodeByteCount = 0
    /// The shares of connections, from 0 to 1, that are not steady.
    public var shares: [Behaviour: Double] = [:]
    /// Bytes that a slow reader takes at a time, and seconds that it then waits.
    public var slowReading = (byteCount: 4096, pause: 0.5)
    /// Mean seconds between the breaks of a reconnecting Envoy.
    public var reconnectInterval = 10.0
    /// Streams that are on their way to being complete at once.
    public var concurrentRamp = 512

    /// Makes a crowd of steady Envoys.
    public init(address: ServerAddress, nodeIDs: [String]) {
        self.address = address
        self.nodeIDs = nodeIDs
    }

    /// The behaviour of connection `index` of `count`: the shares are spread evenly over the crowd.
    func behaviour(of index: Int, count: Int) -> Behaviour {
        // Multiplying by an odd number spreads neighbours, and is the same in each run.
        let place = Double((index &* 2_654_435_761) & 0xFFFF) / 65_536
        var limit = 0.0
        for behaviour in Behaviour.allCases where behaviour != .steady {
            limit += shares[behaviour] ?? 0
            if place < limit { return behaviour }
        }
        return .steady
    }
}
