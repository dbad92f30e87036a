import Measurement

/// Reads a server's counters: each read is a request of its own.
struct MetricsReader {
    private let client: HTTPClient
    private let path: String

    init(url: String) throws {
        let (address, path) = try HTTPClient.parse(url)
        client = HTTPClient(address)
        self.path = path
    }

    func read() throws -> PrometheusText { PrometheusText(try client.request("GET", path)) }

    /// The counters, by name, that are not what they were.
    func changes(since before: PrometheusText) throws -> [String: Double] {
        try read().differences(to: before).filter { $0.key.hasSuffix("_total") }
    }
}
