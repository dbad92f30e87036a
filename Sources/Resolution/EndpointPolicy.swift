public import Domain

/// Decides which pods of those that a selector matches a cluster gets, and what is said of their health.
///
/// This is the one place where that is decided: today all that match; a policy that pins a call to one worker would stand here.
public struct EndpointPolicy: Sendable {
    /// A pod that can be an endpoint.
    public struct Candidate: Hashable, Sendable {
        /// The pod's address.
        public let address: IPAddress
        /// What is said of its health.
        public let health: ResolvedEndpoint.Health

        /// Makes a candidate.
        public init(address: IPAddress, health: ResolvedEndpoint.Health) {
            self.address = address
            self.health = health
        }
    }

    /// Makes the policy under which every matching pod is an endpoint.
    public init() {}

    /// The endpoints among `pods`, sorted by address.
    ///
    /// A pod that is not ready is unhealthy. One that is terminating is degraded, so that it keeps its calls and gets no new ones; but Envoy
    /// drops every new session when all hosts are degraded, so the last that could serve stay healthy. A pod without an address, or
    /// one that has ended, is none.
    public func endpoints(among pods: some Sequence<Pod>) -> [Candidate] {
        let running = pods.filter { !$0.addresses.isEmpty && $0.phase != .succeeded && $0.phase != .failed }
        let hasSuccessor = running.contains { $0.isReady && !$0.metadata.isTerminating }
        let lastAreReady = running.contains { $0.isReady && $0.metadata.isTerminating }
        var healths: [IPAddress: ResolvedEndpoint.Health] = [:]
        for pod in running {
            guard let address = pod.addresses.first else { continue }
            let health: ResolvedEndpoint.Health =
                if pod.metadata.isTerminating {
                    if hasSuccessor { .degraded } else { pod.isReady || !lastAreReady ? .healthy : .degraded }
                } else {
                    pod.isReady ? .healthy : .unhealthy
                }
            // An address can be reused before its former pod is gone: the pod that can serve has it.
            healths[address] = healths[address].map { min($0, health) } ?? health
        }
        return healths.map { Candidate(address: $0.key, health: $0.value) }.sorted { $0.address < $1.address }
    }
}

extension ResolvedEndpoint.Health: Comparable {
    private var rank: Int {
        switch self {
        case .healthy: 0
        case .degraded: 1
        case .unhealthy: 2
        }
    }

    /// The healthier comes first.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}
