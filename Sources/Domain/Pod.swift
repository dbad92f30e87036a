/// What the operator needs of a pod: who it is, what selects it, and where it is reached.
///
/// A value whose storage is shared until it is changed: several tables hold each of tens of thousands of pods, at one word a
/// place.
public struct Pod: Hashable, Sendable {
    /// The pod's `status.phase`.
    public enum Phase: String, Hashable, Sendable {
        case pending = "Pending"
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
        case unknown = "Unknown"
    }

    private struct Content: Hashable {
        var metadata: ObjectMetadata
        var labels: [String: String]
        var addresses: [IPAddress]
        var phase: Phase
        var isReady: Bool
        var serviceAccount: String
    }

    /// Never changed once made.
    private final class Storage: Sendable {
        let content: Content

        init(_ content: Content) { self.content = content }
    }

    private var storage: Storage
    private var content: Content {
        get { storage.content }
        set { storage = Storage(newValue) }
    }

    /// Name, uid, and whether the pod is terminating.
    public var metadata: ObjectMetadata {
        get { storage.content.metadata }
        set { content.metadata = newValue }
    }
    /// The pod's labels.
    public var labels: [String: String] {
        get { storage.content.labels }
        set { content.labels = newValue }
    }
    /// The pod's addresses, the primary one first; empty until the pod has one.
    public var addresses: [IPAddress] {
        get { storage.content.addresses }
        set { content.addresses = newValue }
    }
    /// The pod's phase.
    public var phase: Phase {
        get { storage.content.phase }
        set { content.phase = newValue }
    }
    /// Whether the condition `Ready` is `True`.
    public var isReady: Bool {
        get { storage.content.isReady }
        set { content.isReady = newValue }
    }
    /// The service account that the pod runs as.
    public var serviceAccount: String {
        get { storage.content.serviceAccount }
        set { content.serviceAccount = newValue }
    }

    /// Makes a pod of validated parts.
    public init(
        metadata: ObjectMetadata, labels: [String: String], addresses: [IPAddress], phase: Phase, isReady: Bool,
        serviceAccount: String = "default"
    ) {
        storage = Storage(
            Content(
                metadata: metadata, labels: labels, addresses: addresses, phase: phase, isReady: isReady,
                serviceAccount: serviceAccount))
    }

    /// Namespace and name.
    public var key: ObjectKey { storage.content.metadata.key }

    public static func == (left: Pod, right: Pod) -> Bool {
        left.storage === right.storage || left.content == right.content
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(content) }
}
