import TestKit

/// What an operator holds.
public struct Figures: Sendable, CustomStringConvertible {
    /// Bytes of memory of its own.
    public let residentByteCount: Int
    /// Open descriptors.
    public let descriptorCount: Int
    /// Threads.
    public let threadCount: Int
    /// Gauges of its metrics, by name.
    public let gauges: [String: Int]

    public var description: String {
        let memory = "\(residentByteCount / 1_048_576).\(residentByteCount % 1_048_576 * 10 / 1_048_576) MiB"
        let counts = gauges.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return "\(memory), \(descriptorCount) descriptors, \(threadCount) threads, \(counts)"
    }

    /// Looks at `xdsOperator` once nobody is connected but `streams` streams.
    static func of(_ xdsOperator: OperatorProcess, streams: Int) async throws -> Figures {
        try await eventually("\(streams) streams", within: .seconds(60), every: .milliseconds(100)) { () -> Look<Void> in
            let seen = try await gauges(of: xdsOperator)["streams"]
            return seen == streams ? .met(()) : .unmet("\(seen ?? 0)")
        }
        // Sockets are closed a moment after their streams: what counts is where that comes to rest.
        let last = Observed(-1)
        let descriptors = try await eventually("the descriptors to come to rest", within: .seconds(60), every: .milliseconds(500))
        {
            () -> Look<Int> in
            let count = try xdsOperator.child.descriptorCount()
            let isAtRest = last.update { last in
                defer { last = count }
                return last == count
            }
            return isAtRest ? .met(count) : .unmet("\(count)")
        }
        return Figures(
            residentByteCount: try xdsOperator.child.residentByteCount(), descriptorCount: descriptors,
            threadCount: try xdsOperator.child.threadCount(), gauges: try await gauges(of: xdsOperator))
    }

    static func gauges(of xdsOperator: OperatorProcess) async throws -> [String: Int] {
        let text = try await httpGet("/metrics", from: xdsOperator.metrics).body
        let names = ["streams", "streams_waiting", "nodes", "node_groups", "virtualservices"]
        return Dictionary(uniqueKeysWithValues: names.map { ($0, OperatorProcess.sum(of: $0, in: text)) })
    }

    /// In which points this is more than `before`; empty when nothing is left over.
    ///
    /// Memory is allowed 4 MiB: allocators keep pages. It is less than 1 KiB for each of 4,000 clients, of which one costs several while it is there.
    public func excess(over before: Figures) -> [String] {
        var found: [String] = []
        let growth = residentByteCount - before.residentByteCount
        if growth > 4_194_304 { found.append("memory grew by \(growth / 1_024) KiB") }
        if descriptorCount > before.descriptorCount {
            found.append("\(descriptorCount - before.descriptorCount) descriptors were left open")
        }
        if threadCount > before.threadCount { found.append("\(threadCount - before.threadCount) threads were left") }
        if gauges != before.gauges { found.append("\(gauges) differ from \(before.gauges)") }
        return found
    }
}
