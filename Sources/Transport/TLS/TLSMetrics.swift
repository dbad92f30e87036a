import Synchronization

/// Counts what TLS does on a port; readable from anywhere.
public final class TLSMetrics: Sendable {
    private let handshakes = Atomic<Int>(0)
    private let refusals = Atomic<Int>(0)
    private let reloads = Atomic<Int>(0)
    private let failedReloads = Atomic<Int>(0)
    private let expiry = Atomic<Int64>(0)

    /// Makes counters at zero.
    public init() {}

    /// Handshakes that were completed.
    public var handshakeCount: Int { handshakes.load(ordering: .relaxed) }
    /// Handshakes that failed, or were no handshakes.
    public var refusalCount: Int { refusals.load(ordering: .relaxed) }
    /// Times that changed files were taken up.
    public var reloadCount: Int { reloads.load(ordering: .relaxed) }
    /// Times that changed files were of no use.
    public var failedReloadCount: Int { failedReloads.load(ordering: .relaxed) }
    /// When the server's certificate expires, in seconds since 1970.
    public var certificateExpiry: Int64 { expiry.load(ordering: .relaxed) }

    func handshakeSucceeded() { handshakes.add(1, ordering: .relaxed) }
    func handshakeFailed() { refusals.add(1, ordering: .relaxed) }
    func reloadFailed() { failedReloads.add(1, ordering: .relaxed) }
    func reloaded() { reloads.add(1, ordering: .relaxed) }
    func certificateExpires(at seconds: Int64) { expiry.store(seconds, ordering: .relaxed) }
}
