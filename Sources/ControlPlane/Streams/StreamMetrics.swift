import Synchronization
public import XDS

/// Counts what streams do; readable from anywhere.
public final class StreamMetrics: Sendable {
    private let began = Atomic<Int>(0)
    private let ended = Atomic<Int>(0)
    private let pushes = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let clusterRejections = Atomic<Int>(0)
    private let endpointRejections = Atomic<Int>(0)
    private let listenerRejections = Atomic<Int>(0)

    /// Makes counters at zero.
    public init() {}

    /// Streams open now.
    public var openStreams: Int { began.load(ordering: .relaxed) - ended.load(ordering: .relaxed) }
    /// Responses sent.
    public var pushCount: Int { pushes.load(ordering: .relaxed) }
    /// Bytes of responses sent, gRPC framing included.
    public var pushedBytes: Int { bytes.load(ordering: .relaxed) }

    /// Responses that clients rejected.
    public func rejections(_ type: ResourceType) -> Int {
        switch type {
        case .cluster: clusterRejections.load(ordering: .relaxed)
        case .endpoint: endpointRejections.load(ordering: .relaxed)
        case .listener: listenerRejections.load(ordering: .relaxed)
        }
    }

    func streamBegan() { began.add(1, ordering: .relaxed) }
    func streamEnded() { ended.add(1, ordering: .relaxed) }

    func rejected(_ type: ResourceType) {
        switch type {
        case .cluster: clusterRejections.add(1, ordering: .relaxed)
        case .endpoint: endpointRejections.add(1, ordering: .relaxed)
        case .listener: listenerRejections.add(1, ordering: .relaxed)
        }
    }

    func pushed(byteCount: Int) {
        pushes.add(1, ordering: .relaxed)
        bytes.add(byteCount, ordering: .relaxed)
    }
}
