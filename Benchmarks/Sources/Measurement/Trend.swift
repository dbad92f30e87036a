/// Where a figure that is sampled over time goes, in the samples' unit.
public struct Trend: Codable, Hashable, Sendable {
    /// The median of the first third of the samples.
    public let first: Double
    /// The median of the last third.
    public let last: Double
    /// The growth in an hour: the median of the slopes between all pairs of samples (Theil and Sen), which outliers don't move.
    public let hourlyGrowth: Double

    /// Sums up samples in the order of their time, in seconds; all zero when there are none.
    public init(_ samples: [(seconds: Double, value: Double)]) {
        let third = max(1, samples.count / 3)
        first = Repeated(samples.prefix(third).map(\.value)).median
        last = Repeated(samples.suffix(third).map(\.value)).median
        // As many as make the pairs countable: of more, every so many.
        let some = stride(from: 0, to: samples.count, by: max(1, samples.count / 500)).map { samples[$0] }
        var slopes: [Double] = []
        for (index, early) in some.enumerated() {
            for late in some[(index + 1)...] where late.seconds > early.seconds {
                slopes.append((late.value - early.value) / (late.seconds - early.seconds))
            }
        }
        hourlyGrowth = Repeated(slopes).median * 3600
    }

    /// By how much the last third is above the first.
    public var growth: Double { last - first }
}
