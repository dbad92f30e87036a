/// What many measured values look like: count, median, 99th percentile, largest and mean, in the values' unit.
public struct Distribution: Codable, Hashable, Sendable {
    /// How many values there are.
    public let count: Int
    /// The median.
    public let p50: Double
    /// The 99th percentile (nearest rank).
    public let p99: Double
    /// The largest value.
    public let max: Double
    /// The arithmetic mean.
    public let mean: Double

    /// Sums up `values`; all zero when there are none.
    public init(_ values: some Sequence<Double>) {
        let sorted = values.sorted()
        count = sorted.count
        p50 = Self.rank(0.5, in: sorted)
        p99 = Self.rank(0.99, in: sorted)
        max = sorted.last ?? 0
        mean = sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count)
    }

    /// The smallest value that at least the share `quantile` of `sorted` does not exceed.
    private static func rank(_ quantile: Double, in sorted: [Double]) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let index = (quantile * Double(sorted.count)).rounded(.up)
        return sorted[Swift.min(Swift.max(Int(index) - 1, 0), sorted.count - 1)]
    }
}

/// The median of repeated runs and how far they spread.
public struct Repeated: Codable, Hashable, Sendable {
    /// The median; the mean of the middle two of an even number.
    public let median: Double
    /// The smallest.
    public let low: Double
    /// The largest.
    public let high: Double

    /// Sums up one value a run; all zero when there are none.
    public init(_ values: [Double]) {
        let sorted = values.sorted()
        low = sorted.first ?? 0
        high = sorted.last ?? 0
        let middle = sorted.count / 2
        median =
            if sorted.isEmpty {
                0
            } else if sorted.count % 2 == 1 {
                sorted[middle]
            } else {
                (sorted[middle - 1] + sorted[middle]) / 2
            }
    }
}
