public import Domain

/// What a source finds out about the validity of an object.
public enum ObjectVerdict: Hashable, Sendable {
    /// The object can't be served and is withdrawn. Told again when its identity, generation or diagnostics change.
    case invalid(ObjectMetadata, [Diagnostic])
    /// The object was invalid and no longer is.
    case valid(ObjectMetadata)
    /// The object was invalid and no longer exists.
    case gone(ObjectKey)

    /// Which object it is about.
    public var key: ObjectKey {
        switch self {
        case .invalid(let metadata, _), .valid(let metadata): metadata.key
        case .gone(let key): key
        }
    }
}

/// Learns what a source finds out about the validity of objects, so that their authors can be told.
public protocol ObjectVerdictReceiver: Sendable {
    /// Takes one verdict; those about one object come in order. The source waits meanwhile, so this should take no time.
    func receive(_ verdict: ObjectVerdict) async
}

/// Remembers which objects of a source are invalid, and tells what is new about it.
public struct ValidityLedger: Sendable {
    private struct Entry: Equatable, Sendable {
        var uid: String
        var generation: Int64
        var diagnostics: [Diagnostic]
    }

    private var invalid: [ObjectKey: Entry] = [:]
    /// The invalid objects that the list being told has named so far; nil between lists.
    private var listed: Set<ObjectKey>?

    /// Makes a ledger without invalid objects.
    public init() {}

    /// An object is invalid; nil when that was told before.
    public mutating func isInvalid(_ metadata: ObjectMetadata, _ diagnostics: [Diagnostic]) -> ObjectVerdict? {
        listed?.insert(metadata.key)
        let entry = Entry(uid: metadata.uid, generation: metadata.generation, diagnostics: diagnostics)
        guard invalid.updateValue(entry, forKey: metadata.key) != entry else { return nil }
        return .invalid(metadata, diagnostics)
    }

    /// An object is valid; nil unless it was not.
    public mutating func isValid(_ metadata: ObjectMetadata) -> ObjectVerdict? {
        invalid.removeValue(forKey: metadata.key).map { _ in .valid(metadata) }
    }

    /// An object is gone; nil unless it was invalid.
    public mutating func isGone(_ key: ObjectKey) -> ObjectVerdict? {
        invalid.removeValue(forKey: key).map { _ in .gone(key) }
    }

    /// A list begins.
    public mutating func restarted() { listed = [] }

    /// The list is complete; what it has not named is gone.
    public mutating func synced() -> [ObjectVerdict] {
        defer { listed = nil }
        guard let listed else { return [] }
        return invalid.keys.filter { !listed.contains($0) }.sorted().compactMap { isGone($0) }
    }
}
