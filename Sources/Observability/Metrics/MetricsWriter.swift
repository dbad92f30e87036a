/// Writes metrics as text, family by family.
///
/// Values are sums and gauges that the program keeps anyway; nothing here keeps state.
public struct MetricsWriter {
    /// The text formats that Prometheus reads.
    public enum Format: Sendable {
        /// Prometheus text format 0.0.4.
        case plain
        /// OpenMetrics 1.0.
        case openMetrics

        /// The format to answer with, by a request's `Accept` header.
        public init(accept: String?) {
            self = accept?.contains("application/openmetrics-text") == true ? .openMetrics : .plain
        }

        /// The `Content-Type` of the answer.
        public var contentType: String {
            switch self {
            case .plain: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    /// A value with its labels.
    public struct Sample {
        let labels: [(name: String, value: String)]
        let value: String

        /// A whole number.
        public init(_ value: Int, _ labels: KeyValuePairs<String, String> = [:]) {
            self.value = "\(value)"
            self.labels = labels.map { ($0.key, $0.value) }
        }

        /// A number; seconds, mostly.
        public init(_ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
            self.value = "\(value)"
            self.labels = labels.map { ($0.key, $0.value) }
        }
    }

    private let prefix: String
    let format: Format
    /// The families written so far, without an end.
    var families = ""

    /// - Parameter prefix: stands before every name given here, without its underscore.
    public init(prefix: String, format: Format) {
        self.prefix = prefix + "_"
        self.format = format
    }

    /// All that was written, ended as the format wants it.
    public var output: String { format == .openMetrics ? families + "# EOF\n" : families }

    /// What may go up and down.
    public mutating func gauge(_ name: String, _ help: String, _ samples: Sample...) { gauge(name, help, samples) }

    /// What may go up and down, by labels.
    public mutating func gauge(_ name: String, _ help: String, _ samples: [Sample]) {
        family(prefix + name, help, "gauge")
        for sample in samples { write(prefix + name, sample.labels, sample.value) }
    }

    /// What only grows.
    /// - Parameter name: without `_total`.
    public mutating func counter(_ name: String, _ help: String, _ samples: Sample...) { counter(name, help, samples) }

    /// What only grows, by labels.
    /// - Parameter name: without `_total`.
    public mutating func counter(_ name: String, _ help: String, _ samples: [Sample]) {
        family(format == .openMetrics ? prefix + name : "\(prefix)\(name)_total", help, "counter")
        for sample in samples { write("\(prefix)\(name)_total", sample.labels, sample.value) }
    }

    /// Durations, in seconds, in buckets.
    public mutating func histogram(_ name: String, _ help: String, _ series: [(labels: KeyValuePairs<String, String>, Histogram)])
    {
        family(prefix + name, help, "histogram")
        for (labels, histogram) in series {
            let labels = labels.map { ($0.key, $0.value) }
            let counted = histogram.snapshot
            for (bound, count) in counted.cumulative {
                write("\(prefix)\(name)_bucket", labels + [("le", "\(bound / .seconds(1))")], "\(count)")
            }
            write("\(prefix)\(name)_bucket", labels + [("le", "+Inf")], "\(counted.count)")
            write("\(prefix)\(name)_sum", labels, "\(counted.sum / .seconds(1))")
            write("\(prefix)\(name)_count", labels, "\(counted.count)")
        }
    }

    private mutating func family(_ name: String, _ help: String, _ kind: String) {
        families += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind)\n"
    }

    private mutating func write(_ name: String, _ labels: [(String, String)], _ value: String) {
        families += name
        if !labels.isEmpty {
            families += "{" + labels.map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }.joined(separator: ",") + "}"
        }
        families += " \(value)\n"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.contains(where: { $0 == "\\" || $0 == "\"" || $0.isNewline }) else { return text }
        return text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
