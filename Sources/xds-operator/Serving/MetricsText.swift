import ControlPlane
import XDS

/// The metrics in the Prometheus text format, version 0.0.4.
struct MetricsText {
    private var lines: [String] = []

    /// Renders everything.
    static func render(snapshots: SnapshotCounts, streams: StreamMetrics, isReady: Bool) -> String {
        var text = MetricsText()
        text.gauge("build_info", "Always 1; the version is a label.", 1, labels: "{version=\"\(Version.number)\"}")
        text.gauge("ready", "1 once the first complete state is published.", isReady ? 1 : 0)
        text.gauge("virtualservices", "VirtualServices in force.", snapshots.virtualServices)
        text.gauge("nodes", "Pods whose Envoys are concerned by an object, or connected.", snapshots.nodes)
        text.gauge("node_groups", "Groups of Envoys that share a snapshot.", snapshots.groups)
        text.gauge("streams", "Envoy streams open.", streams.openStreams)
        text.gauge("streams_waiting", "Envoy streams whose node id no known pod has.", snapshots.waitingStreams)
        text.counter("pushes_total", "Responses sent to Envoys.", [("", streams.pushCount)])
        text.counter("push_bytes_total", "Bytes of responses sent to Envoys.", [("", streams.pushedBytes)])
        text.counter(
            "rejections_total", "Responses that Envoys rejected.",
            ResourceType.allCases.map { ("{type=\"\($0)\"}", streams.rejections($0)) })
        return text.lines.joined(separator: "\n") + "\n"
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Int, labels: String = "") {
        family(name, help, "gauge", [(labels, value)])
    }

    private mutating func counter(_ name: String, _ help: String, _ values: [(labels: String, value: Int)]) {
        family(name, help, "counter", values)
    }

    private mutating func family(_ name: String, _ help: String, _ kind: String, _ values: [(labels: String, value: Int)]) {
        lines += ["# HELP xds_operator_\(name) \(help)", "# TYPE xds_operator_\(name) \(kind)"]
        lines += values.map { "xds_operator_\(name)\($0.labels) \($0.value)" }
    }
}
