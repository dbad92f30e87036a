import Measurement

/// What came of a soak.
struct SoakReport: Codable {
    struct Sample: Codable {
        let second: Int
        let residentBytes: Int
        let descriptors: Int
    }

    let seconds: Int
    let rate: Int
    let alive: Int
    let envoys: Int
    var calls = 0
    /// Calls that not every steady Envoy has acknowledged at the end.
    var callsUnacknowledged = 0
    /// Connections that Envoys broke and made anew.
    var reconnections = 0
    /// Connections that the server ended.
    var connectionsLost = 0
    /// Responses sent, and their bytes.
    var pushes = 0
    var pushedBytes = 0
    /// How the server's counters changed.
    var counters: [String: Double] = [:]
    /// CPU seconds of the server.
    var cpuSeconds = 0.0
    /// Resident memory in bytes.
    private(set) var memory = Trend([])
    private(set) var descriptors = Trend([])
    private(set) var samples: [Sample] = []

    init(seconds: Int, rate: Int, alive: Int, envoys: Int) {
        self.seconds = seconds
        self.rate = rate
        self.alive = alive
        self.envoys = envoys
    }

    mutating func add(_ figures: ProcessFigures, second: Int) {
        samples.append(Sample(second: second, residentBytes: figures.residentBytes, descriptors: figures.descriptors))
    }

    /// Sums the samples up.
    mutating func close() {
        memory = Trend(samples.map { (Double($0.second), Double($0.residentBytes)) })
        descriptors = Trend(samples.map { (Double($0.second), Double($0.descriptors)) })
    }

    /// What should not be; empty when everything is flat.
    func faults(allowedBytes: Double, allowedDescriptors: Double) -> [String] {
        var found: [String] = []
        if memory.growth > allowedBytes { found.append("memory grew by \(Int(memory.growth) / 1024) KiB") }
        if descriptors.growth > allowedDescriptors { found.append("descriptors grew by \(Table.number(descriptors.growth))") }
        if callsUnacknowledged > 0 { found.append("\(callsUnacknowledged) calls were not acknowledged by all") }
        if connectionsLost > 0 { found.append("\(connectionsLost) connections were lost") }
        if reconnections == 0 { found.append("nobody reconnected") }
        return found
    }

    /// For people.
    var text: String {
        """
        \(seconds) s, \(calls) calls up and down (\(rate) a second, \(alive) alive), \(envoys) Envoys, \(reconnections) reconnections
        resident memory  \(kibibytes(memory.first)) to \(kibibytes(memory.last)) KiB, \(kibibytes(memory.hourlyGrowth)) KiB an hour
        descriptors      \(Table.number(descriptors.first)) to \(Table.number(descriptors.last)), \
        \(Table.number(descriptors.hourlyGrowth)) an hour
        server           \(Table.number(cpuSeconds / Double(seconds) * 100)) % of a processor, \
        \(Table.number(cpuSeconds / Double(calls) * 1e3)) ms a call, \(Table.number(Double(pushes) / Double(calls))) pushes and \
        \(Table.number(Double(pushedBytes) / Double(calls) / 1e3)) kB a call
        not acknowledged \(callsUnacknowledged) calls; lost \(connectionsLost) connections
        """
    }

    private func kibibytes(_ bytes: Double) -> Int { Int(bytes / 1024) }
}
