import ControlPlane
import KubernetesClient
import Observability
import Transport
import XDS

/// Everything that is counted while the program runs.
struct MetricsSources {
    let cache: SnapshotCache
    let readiness: ControlPlane.Readiness
    let streams: StreamMetrics
    /// Of the port's TLS.
    let tls: TLSMetrics
    /// Of who was let in.
    let access: AccessMetrics
    /// How late event loops are.
    let loopLag: Histogram
    /// Nil where objects come from files.
    let cluster: ClusterSource?

    /// The text for whoever scrapes.
    func text(_ format: MetricsWriter.Format) async -> String {
        let counts = await cache.counts
        let conditions = await cluster?.conditions
        var writer = MetricsWriter(prefix: "xds_operator", format: format)
        write(counts, to: &writer)
        writeStreams(to: &writer)
        writeSecurity(to: &writer)
        cluster?.write(conditions, to: &writer)
        writer.write(ProcessFigures())
        return writer.output
    }

    private func write(_ counts: SnapshotCounts, to writer: inout MetricsWriter) {
        writer.gauge("build_info", "Always 1; the version is a label.", .init(1, ["version": Version.number]))
        writer.gauge("ready", "1 once the first complete state is published.", .init(readiness.isReady ? 1 : 0))
        writer.gauge("virtualservices", "VirtualServices in force.", .init(counts.virtualServices))
        writer.gauge("nodes", "Pods whose Envoys are concerned by an object, or connected.", .init(counts.nodes))
        writer.gauge("node_groups", "Groups of Envoys that share a snapshot.", .init(counts.groups))
        writer.gauge("streams_waiting", "Envoy streams whose node id no known pod has.", .init(counts.waitingStreams))
        writer.gauge(
            "snapshot_resources", "Resources in the snapshots of all groups, by type.",
            counts.resources.map { .init($0.count, ["type": "\($0.type)"]) })
        writer.gauge(
            "snapshot_bytes", "Bytes of the resources in the snapshots of all groups; what groups share counts once for each.",
            counts.resources.map { .init($0.byteCount, ["type": "\($0.type)"]) })
        writer.counter(
            "framed_responses", "Delta responses put together, each for all streams that make the same step.",
            .init(counts.effort.framedResponses))
        writer.counter(
            "framed_resources", "Resources and removals in these responses.", .init(counts.effort.framedResources))
        writer.histogram("event_loop_lag_seconds", "How late event loops come to a timer.", [([:], loopLag)])
    }
}
