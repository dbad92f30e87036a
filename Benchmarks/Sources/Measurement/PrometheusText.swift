/// Samples in the Prometheus text format, summed up by name whatever their labels.
public struct PrometheusText: Hashable, Sendable {
    fileprivate var values: [String: Double] = [:]

    /// Reads `text`; what is no sample is passed over.
    public init(_ text: some StringProtocol) {
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { continue }
            let name = line[..<space].prefix { $0 != "{" && $0 != " " }
            values[String(name), default: 0] += value
        }
    }

    /// The sum of the samples called `name`; nil when there is none.
    public subscript(name: String) -> Double? { values[name] }
}

extension PrometheusText {
    /// By how much samples differ from `earlier` ones, by name; those that do not are left out.
    public func differences(to earlier: PrometheusText) -> [String: Double] {
        values.reduce(into: [:]) { result, entry in
            let difference = entry.value - (earlier.values[entry.key] ?? 0)
            if difference != 0 { result[entry.key] = difference }
        }
    }
}
