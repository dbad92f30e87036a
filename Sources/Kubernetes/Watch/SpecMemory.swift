import Domain

/// What a VirtualService asks for.
struct VirtualServiceSpec: Sendable {
    let selector: LabelSelector
    let listeners: [ListenerIntent]
}

/// The specs of the objects that a watch has told, by their bytes: each status that is written brings the object once more with the spec that
/// is known, which is most of it and takes most of the time to read.
public struct SpecMemory: Sendable {
    private struct Entry: Sendable {
        /// A hash of the bytes with a key of the process, and how many there are.
        let hash: Int
        let byteCount: Int
        let spec: VirtualServiceSpec
    }

    private var entries: [ObjectKey: Entry] = [:]

    /// Makes a memory of nothing.
    public init() {}

    /// The spec of an object, if its bytes are these.
    func spec(of key: ObjectKey, _ bytes: ArraySlice<UInt8>) -> VirtualServiceSpec? {
        guard let entry = entries[key], entry.byteCount == bytes.count, entry.hash == SpecMemory.hash(bytes) else { return nil }
        return entry.spec
    }

    /// An object has this spec, of these bytes.
    mutating func set(_ spec: VirtualServiceSpec, of key: ObjectKey, _ bytes: ArraySlice<UInt8>) {
        entries[key] = Entry(hash: SpecMemory.hash(bytes), byteCount: bytes.count, spec: spec)
    }

    /// An object is gone, or has no spec that can be served.
    mutating func forget(_ key: ObjectKey) { entries[key] = nil }

    private static func hash(_ bytes: ArraySlice<UInt8>) -> Int {
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
