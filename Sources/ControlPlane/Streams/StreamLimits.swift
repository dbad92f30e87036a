import Synchronization

/// What a client of discovery may cost, and what all of them may cost together.
public final class StreamLimits: Sendable {
    /// Names in one request: subscribed to, given up, or brought from an earlier stream.
    public let namesPerRequest: Int
    /// Bytes of the names that a stream keeps; each counts `nameCost` more than its text.
    public let nameBytesPerStream: Int
    /// Bytes of the names that all streams keep, of which each may keep `smallNameBytes` whatever the others do.
    public let nameBytes: Int
    /// From the beginning of a stream to its first request.
    public let requestTimeout: Duration
    /// From the rejection of a listener whose address is taken to the next trial, unless a change gives reason for one before. Twice as
    /// long after each that fails, up to twenty times.
    public let addressPause: Duration

    /// What a name costs besides its text: its place in a set or two.
    static let nameCost = 64
    static let smallNameBytes = 64 * 1024
    /// What is kept of a client's words about what it rejects, in bytes. Envoy names a culprit at the beginning of a line, and may name many.
    static let rejectionBytes = 4096

    private let claimed = Atomic(0)

    /// Makes limits.
    public init(
        namesPerRequest: Int = 200_000, nameBytesPerStream: Int = 64 << 20, nameBytes: Int = 2 << 30,
        requestTimeout: Duration = .seconds(30), addressPause: Duration = .seconds(15)
    ) {
        self.namesPerRequest = namesPerRequest
        self.nameBytesPerStream = nameBytesPerStream
        self.nameBytes = nameBytes
        self.requestTimeout = requestTimeout
        self.addressPause = addressPause
    }

    fileprivate var isExceeded: Bool { claimed.load(ordering: .relaxed) > nameBytes }

    fileprivate func change(by difference: Int) {
        if difference != 0 { claimed.add(difference, ordering: .relaxed) }
    }
}

/// What one stream keeps of names: an upper bound, put right by counting when it has grown by more than an eighth since the last count, so
/// that the counting costs no more than what the client had to send.
struct NameAccount {
    /// At least what the stream keeps, in bytes.
    private(set) var claimed = 0
    private var counted = 0

    /// Whether it is worth while to count.
    var isDue: Bool { claimed - counted > max(StreamLimits.smallNameBytes, counted / 8) }

    /// A request with `count` names came, of `byteCount` bytes.
    mutating func claim(count: Int, byteCount: Int, _ limits: StreamLimits) {
        set(claimed + count * StreamLimits.nameCost + byteCount, limits)
    }

    /// The stream was found to keep so much.
    mutating func count(_ kept: Int, _ limits: StreamLimits) {
        counted = kept
        set(kept, limits)
    }

    /// The stream has ended.
    mutating func close(_ limits: StreamLimits) { count(0, limits) }

    /// Whether the stream may keep what it does.
    func isWithin(_ limits: StreamLimits) -> Bool {
        claimed <= StreamLimits.smallNameBytes || (claimed <= limits.nameBytesPerStream && !limits.isExceeded)
    }

    private mutating func set(_ value: Int, _ limits: StreamLimits) {
        func shared(_ value: Int) -> Int { max(0, value - StreamLimits.smallNameBytes) }
        limits.change(by: shared(value) - shared(claimed))
        claimed = value
    }
}

extension String {
    /// The first `count` bytes. Not its first characters: one character may have any number of bytes.
    func limited(toBytes count: Int) -> String {
        utf8.count <= count ? self : String(decoding: utf8.prefix(count), as: UTF8.self)
    }
}
