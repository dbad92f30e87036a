public import Observability
import Synchronization
public import XDS

/// Counts what streams do; readable from anywhere.
public final class StreamMetrics: Sendable {
    /// A kind of stream and how many are open.
    public struct OpenStreams: Sendable {
        /// `delta`, `sotw` or `unary`.
        public let form: String
        /// `aggregated`, or the type that the service has: `cluster`, `endpoint` or `listener`.
        public let service: String
        /// How many are open.
        public let count: Int
    }

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)

        func add(_ count: Int) { value.add(count, ordering: .relaxed) }
        var total: Int { value.load(ordering: .relaxed) }
    }

    private let open = Dictionary(uniqueKeysWithValues: DiscoveryMethod.kinds.map { ($0, Counter()) })
    private let rejected = ResourceType.allCases.map { _ in Counter() }
    private let behind = Counter()
    private let pushes = Counter()
    private let bytes = Counter()

    /// From the moment when a change was heard of to the moment when it was handed to the connections of the Envoys that it concerns.
    public let sendLatency = Histogram()
    /// From the moment when a change was heard of to the moment when an Envoy had acknowledged all that it was sent.
    public let acknowledgementLatency = Histogram()

    /// Makes counters at zero.
    public init() {}

    /// Streams open now.
    public var openStreams: Int { open.values.reduce(0) { $0 + $1.total } }

    /// Streams open now, of each kind.
    public var openStreamsByKind: [OpenStreams] {
        open.map { OpenStreams(form: $0.formName, service: $0.serviceName, count: $1.total) }
            .sorted { ($0.service, $0.form) < ($1.service, $1.form) }
    }

    /// Streams whose client has yet to answer something that it was sent.
    public var streamsBehind: Int { behind.total }
    /// Responses sent.
    public var pushCount: Int { pushes.total }
    /// Bytes of responses sent, gRPC framing included.
    public var pushedBytes: Int { bytes.total }

    /// Responses that clients rejected.
    public func rejections(_ type: ResourceType) -> Int { rejected[type.rawValue].total }

    func streamBegan(_ method: DiscoveryMethod) { open[method]?.add(1) }
    func streamEnded(_ method: DiscoveryMethod) { open[method]?.add(-1) }
    func streamIsBehind(_ isBehind: Bool) { behind.add(isBehind ? 1 : -1) }
    func rejected(_ type: ResourceType) { rejected[type.rawValue].add(1) }

    func pushed(byteCount: Int) {
        pushes.add(1)
        bytes.add(byteCount)
    }
}

extension DiscoveryMethod {
    /// `delta`, `sotw` or `unary`.
    var formName: String {
        switch form {
        case .delta: "delta"
        case .stateOfTheWorld: "sotw"
        case .unary: "unary"
        }
    }

    /// `aggregated`, or the service's type.
    var serviceName: String { type.map { "\($0)" } ?? "aggregated" }
}
