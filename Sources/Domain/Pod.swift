/// What the operator needs of a pod: who it is, what selects it, and where it is reached.
public struct Pod: Hashable, Sendable {
    /// The pod's `status.phase`.
    public enum Phase: String, Hashable, Sendable {
        case pending = "Pending"
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
        case unknown = "Unknown"
    }

    /// Name, uid, and whether the pod is terminating.
    public var metadata: ObjectMetadata
    /// The pod's labels.
    public var labels: [String: String]
    /// The pod's addresses, the primary one first; empty until the pod has one.
    public var addresses: [IPAddress]
    /// The pod's phase.
    public var phase: Phase
    /// Whether the condition `Ready` is `True`.
    public var isReady: Bool
    /// The service account that the pod runs as.
    public var serviceAccount: String

    /// Makes a pod of validated parts.
    public init(
        metadata: ObjectMetadata, labels: [String: String], addresses: [IPAddress], phase: Phase, isReady: Bool,
        serviceAccount: String = "default"
    ) {
        self.metadata = metadata
        self.labels = labels
        self.addresses = addresses
        self.phase = phase
        self.isReady = isReady
        self.serviceAccount = serviceAccount
    }

    /// Namespace and name.
    public var key: ObjectKey { metadata.key }
}
