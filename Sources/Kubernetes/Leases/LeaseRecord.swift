/// The `spec` of a `coordination.k8s.io/v1` Lease. Times are microseconds since 1970, as their writer's clock had them: they are
/// compared for equality only.
public struct LeaseRecord: Hashable, Sendable {
    /// Who holds it; empty when it is free.
    public var holder: String
    /// How long the holder may go without a renewal, in seconds.
    public var durationSeconds: Int
    /// When the holder took it.
    public var acquired: Int64
    /// When the holder last renewed it.
    public var renewed: Int64
    /// How often the holder has changed.
    public var transitions: Int

    /// Makes a record.
    public init(holder: String, durationSeconds: Int, acquired: Int64, renewed: Int64, transitions: Int) {
        self.holder = holder
        self.durationSeconds = durationSeconds
        self.acquired = acquired
        self.renewed = renewed
        self.transitions = transitions
    }
}

/// A Lease as the API server has it.
public struct ObservedLease: Hashable, Sendable {
    /// The object's name.
    public var name: String
    /// Opaque version of the object, for optimistic writes.
    public var resourceVersion: String
    /// Labels and annotations, kept when the object is written.
    public var labels: [String: String]
    /// See `labels`.
    public var annotations: [String: String]
    /// What it says, and whose words are compared to see whether it lives.
    public var record: LeaseRecord
    /// The renewal as its writer wrote it: two renewals differ in it even where it is no time that can be read.
    public var renewal: String

    /// Makes a lease.
    public init(
        name: String, resourceVersion: String, labels: [String: String] = [:], annotations: [String: String] = [:],
        record: LeaseRecord, renewal: String = ""
    ) {
        self.name = name
        self.resourceVersion = resourceVersion
        self.labels = labels
        self.annotations = annotations
        self.record = record
        self.renewal = renewal
    }
}
