/// What the operator needs of a Kubernetes object's metadata.
public struct ObjectMetadata: Hashable, Sendable {
    /// Namespace and name.
    public var key: ObjectKey
    /// The identity of this incarnation; empty where the source gives none (a manifest without `metadata.uid`).
    public var uid: String
    /// When the object was created, in seconds since 1970; objects without the field count as created at 0.
    public var creationSeconds: Int64
    /// Counts changes of the object's spec (`metadata.generation`); 0 where the source gives none.
    public var generation: Int64
    /// Opaque version of the object; compared for equality only.
    public var resourceVersion: String
    /// Whether `metadata.deletionTimestamp` is set: the object is being deleted and waits for finalizers or grace.
    public var isTerminating: Bool
    /// The object's finalizers, in order.
    public var finalizers: [String]

    /// Makes metadata; everything but the key has the value of an absent field as its default.
    public init(
        key: ObjectKey, uid: String = "", creationSeconds: Int64 = 0, generation: Int64 = 0, resourceVersion: String = "",
        isTerminating: Bool = false, finalizers: [String] = []
    ) {
        self.key = key
        self.uid = uid
        self.creationSeconds = creationSeconds
        self.generation = generation
        self.resourceVersion = resourceVersion
        self.isTerminating = isTerminating
        self.finalizers = finalizers
    }
}
