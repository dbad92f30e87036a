/// What may differ between installations; the same on every replica, because the bytes of every resource depend on it.
public struct TranslationOptions: Hashable, Sendable {
    /// The entries of each cluster's Maglev table.
    public var maglevTableSize: MaglevTableSize

    /// The name that Envoys without ADS give this server's cluster in their bootstrap.
    public var serverClusterName: String

    /// Makes options.
    public init(maglevTableSize: MaglevTableSize = .standard, serverClusterName: String = "xds_cluster") {
        self.maglevTableSize = maglevTableSize
        self.serverClusterName = serverClusterName
    }
}

/// The number of entries of a Maglev table: a prime of at most 5,000,011, as Envoy demands (`Cluster.MaglevLbConfig`).
public struct MaglevTableSize: Hashable, Sendable, CustomStringConvertible {
    /// The number of entries.
    public let value: UInt64

    /// 1009: fine enough for some tens of hosts a cluster. Envoy's own default, 65537, costs ten times the CPU and twice the
    /// memory where there are thousands of clusters.
    public static let standard = MaglevTableSize(unchecked: 1009)

    /// The largest size that Envoy accepts, itself a prime.
    public static let largest = MaglevTableSize(unchecked: 5_000_011)

    /// Makes a size; nil unless `value` is a prime that Envoy accepts.
    public init?(_ value: some BinaryInteger) {
        guard let value = UInt64(exactly: value), value <= MaglevTableSize.largest.value, MaglevTableSize.isPrime(value) else {
            return nil
        }
        self.init(unchecked: value)
    }

    private init(unchecked value: UInt64) { self.value = value }

    public var description: String { String(value) }

    private static func isPrime(_ value: UInt64) -> Bool {
        guard value >= 2 else { return false }
        var divisor: UInt64 = 2
        while divisor * divisor <= value {
            if value % divisor == 0 { return false }
            divisor += 1
        }
        return true
    }
}
