import ControlPlane
import Kubernetes
import KubernetesClient
import Observability

extension ClusterSource {
    /// What is read from the API server and written to it.
    /// - Parameter conditions: of all objects; nil where another replica tells.
    func write(_ conditions: ConditionCounts?, to writer: inout MetricsWriter) {
        func watches(_ count: (WatchMetrics) -> Int) -> [MetricsWriter.Sample] {
            metrics.map { .init(count($0), ["resource": $0.resource]) }
        }
        writer.gauge("leader", "1 while this replica writes what all replicas share.", .init(leadership.isHeld ? 1 : 0))
        if let conditions {
            writer.gauge(
                "virtualservice_conditions", "VirtualServices by what a condition of theirs says; of the leader alone.",
                Condition.Kind.allCases.flatMap { kind in
                    Condition.Truth.allCases.map {
                        .init(conditions.count(kind, $0), ["condition": kind.rawValue, "status": $0.rawValue])
                    }
                })
        }
        writer.counter("watch_lists", "Complete lists received from the API server, streaming lists included.", watches(\.lists))
        writer.counter("watch_starts", "Watches that the API server accepted.", watches(\.watchStarts))
        writer.counter("watch_ends", "Watches that ended, for whatever reason.", watches(\.watchEnds))
        writer.counter("watch_relists", "Lists made again because a watch could not go on.", watches(\.relists))
        writer.counter(
            "watch_errors", "Lists and watches that failed, by reason.",
            metrics.flatMap { watch in
                WatchError.allCases.map { .init(watch.errors($0), ["resource": watch.resource, "reason": $0.rawValue]) }
            })
        writer.counter("watch_bytes", "Bytes of answers received from the API server.", watches(\.bytes))
        writer.counter("watch_events", "Events received by watches, bookmarks included.", watches(\.events))
        writer.counter("watch_invalid_objects", "Objects received that could not be served.", watches(\.invalidObjects))
        writer.gauge(
            "watch_last_event_timestamp_seconds", "When a watch last heard anything, bookmarks included.",
            watches(\.lastEventSeconds))
        writer.counter(
            "writes", "Writes to the API server, by what is written and what came of it.",
            WriteMetrics.Kind.allCases.flatMap { kind in
                WriteMetrics.Result.allCases.map {
                    .init(writeMetrics.count(kind, $0), ["kind": kind.rawValue, "result": $0.rawValue])
                }
            })
    }
}
