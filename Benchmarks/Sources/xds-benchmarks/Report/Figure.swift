import Measurement

/// One measured figure beside what it is compared with.
struct Figure: Codable {
    /// The benchmark, and what of it.
    let name: String
    let unit: String
    /// The median and the range of the runs.
    let value: Repeated
    /// What it should be at most; nil where it is only reported.
    var target: Double?
    /// The kernel's price of the same bytes, in the same unit, from the same run.
    var floor: Double?
    /// The figure of go-control-plane on the same class of machine; the lower end of a range.
    var peer: Double?

    init(
        _ name: String, _ unit: String, _ values: [Double], target: Double? = nil, floor: Double? = nil, peer: Double? = nil
    ) {
        self.name = name
        self.unit = unit
        value = Repeated(values)
        self.target = target
        self.floor = floor
        self.peer = peer
    }

    /// Whether the target is reached; nil without one.
    var isReached: Bool? { target.map { value.median <= $0 } }
}

/// All figures of one run of the benchmarks.
struct BenchmarkReport: Codable {
    var figures: [Figure] = []
    /// Rows that failed, and why.
    var failures: [String: String] = [:]
    var processors = 0
    var isShort = false
}
