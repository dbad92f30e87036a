import ControlPlane
import KubernetesClient
import XDS

/// The metrics in the Prometheus text format, version 0.0.4.
struct MetricsText {
    private var lines: [String] = []

    /// Renders everything.
    static func render(
        snapshots: SnapshotCounts, streams: StreamMetrics, watches: [WatchMetrics], writes: WriteMetrics?, isReady: Bool
    ) -> String {
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
        text.watches(watches)
        if let writes { text.writes(writes) }
        return text.lines.joined(separator: "\n") + "\n"
    }

    /// What the watches of the API server count; nothing where objects come from files.
    private mutating func watches(_ watches: [WatchMetrics]) {
        guard !watches.isEmpty else { return }
        func values(_ count: (WatchMetrics) -> Int) -> [(labels: String, value: Int)] {
            watches.map { ("{resource=\"\($0.resource)\"}", count($0)) }
        }
        counter("watch_lists_total", "Complete lists received from the API server, streaming lists included.", values(\.lists))
        counter("watch_starts_total", "Watches that the API server accepted.", values(\.watchStarts))
        counter("watch_ends_total", "Watches that ended, for whatever reason.", values(\.watchEnds))
        counter("watch_relists_total", "Lists made again because a watch could not go on.", values(\.relists))
        counter(
            "watch_errors_total", "Lists and watches that failed, by reason.",
            watches.flatMap { watch in
                WatchError.allCases.map { ("{resource=\"\(watch.resource)\",reason=\"\($0.rawValue)\"}", watch.errors($0)) }
            })
        counter("watch_bytes_total", "Bytes of answers received from the API server.", values(\.bytes))
        counter("watch_events_total", "Events received by watches, bookmarks included.", values(\.events))
        counter("watch_invalid_objects_total", "Objects received that could not be served.", values(\.invalidObjects))
    }

    /// What is written to the API server, and what came of it.
    private mutating func writes(_ writes: WriteMetrics) {
        counter(
            "writes_total", "Writes to the API server, by what is written and what came of it.",
            WriteMetrics.Kind.allCases.flatMap { kind in
                WriteMetrics.Result.allCases.map {
                    ("{kind=\"\(kind.rawValue)\",result=\"\($0.rawValue)\"}", writes.count(kind, $0))
                }
            })
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
