public import ArgumentParser
import ControlPlane
import Foundation
import GRPC
import Kubernetes
import KubernetesClient
public import Logging
import Manifests
import Observability
import ServiceLifecycle
import Translation
import Transport
import UnixSignals

/// `xds-operator serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the configuration of all Envoys that connect.")

    @Option(help: "A directory of VirtualService and Pod manifests, followed as it changes, instead of a cluster.")
    var manifests: String?
    @Option(help: "The kubeconfig file of the cluster; without it and --manifests, the cluster that the program runs in.")
    var kubeconfig: String?
    @Option(help: "The context of the kubeconfig; by default its current one. Without --kubeconfig that of KUBECONFIG.")
    var context: String?
    @Option(help: "Where Envoys connect; port 0 picks a free one.")
    var xdsBindAddress = "0.0.0.0:18000"
    @Option(help: "Where /metrics is served.")
    var metricsBindAddress = "0.0.0.0:8080"
    @Option(help: "Where /healthz and /readyz are served.")
    var healthProbeBindAddress = "0.0.0.0:8081"
    @Option(
        help:
            "Where /debug is served; by default 127.0.0.1:6060 if that is free. Empty: nowhere. Whoever reaches it sees everything."
    )
    var debugBindAddress: String?
    @Option(name: .customLong("namespace"), help: "Only objects and pods of this namespace; repeatable.")
    var namespaces: [String] = []
    @Flag(help: "Let objects select pods of every namespace.")
    var crossNamespace = false
    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info
    @Option(help: "text or json.")
    var logFormat = LineLogHandler.Format.text
    @OptionGroup var feedbackOptions: FeedbackOptions
    @OptionGroup var accessOptions: AccessOptions
    @OptionGroup var limitOptions: LimitOptions
    @Option(help: "The size of Maglev tables, a prime; the same on all replicas.")
    var maglevTableSize = MaglevTableSize.standard
    @Option(help: "The name that Envoys without ADS give this server's cluster in their bootstrap.")
    var xdsClusterName = "xds_cluster"
    @Option(help: "Seconds without any answer of an Envoy to what it was sent, after which its stream is closed.")
    var answerTimeout = 300
    @Option(help: "Event loops, each a thread; by default one a processor.")
    var loops: Int?
    @Option(help: "Seconds that streams have to end on SIGTERM.")
    var shutdownGracePeriod = 10

    func validate() throws {
        if manifests != nil, kubeconfig != nil || context != nil {
            throw ValidationError("give either --manifests or --kubeconfig and --context: objects come from one place")
        }
        if let loops, !(1...1024).contains(loops) { throw ValidationError("--loops must be from 1 to 1024") }
        guard (1...86_400).contains(answerTimeout) else {
            throw ValidationError("--answer-timeout must be from 1 to 86400 seconds")
        }
        guard !xdsClusterName.isEmpty else { throw ValidationError("--xds-cluster-name must not be empty") }
        guard (0...3600).contains(shutdownGracePeriod) else {
            throw ValidationError("--shutdown-grace-period must be from 0 to 3600 seconds")
        }
    }

    func run() async throws {
        let (level, format, rate) = (LogLevel(logLevel), logFormat, LogRate())
        LoggingSystem.bootstrap { LineLogHandler(label: $0, level: level, format: format, rate: rate) }
        let logger = Logger(label: "xds-operator")
        do {
            try await serve(logger, level)
        } catch {
            logger.critical("can't go on: \(error)")
            throw ExitCode(1)
        }
    }

    private func serve(_ logger: Logger, _ level: LogLevel) async throws {
        let changed = Bell()
        let resolved = Bell()
        let reports = manifests == nil ? Bell() : nil
        let readiness = ControlPlane.Readiness()
        let metrics = StreamMetrics()
        let virtualServices = VirtualServiceWatcher(bell: changed)
        let pods = PodWatcher(bell: changed)
        let resolver = EndpointResolver(
            virtualServices: virtualServices, pods: pods, crossesNamespaces: crossNamespace, changed: changed, resolved: resolved,
            reports: reports)
        let cache = SnapshotCache(
            resolver: resolver, resolved: resolved,
            translator: Translator(
                options: TranslationOptions(maglevTableSize: maglevTableSize, serverClusterName: xdsClusterName)),
            readiness: readiness, reports: reports, logger: Logger(label: "snapshots"))
        let reporter = reports.map {
            ServiceReporter(resolver: resolver, cache: cache, bell: $0, logger: Logger(label: "kubernetes"))
        }
        let (tls, accessMetrics, loopLag) = (TLSMetrics(), AccessMetrics(), Histogram())
        let cluster = try reporter.map { try self.cluster(virtualServices, pods, $0) }

        let group = try EventLoopGroup(count: loops ?? ProcessInfo.processInfo.activeProcessorCount)
        group.watchLag { loopLag.observe($0) }
        let reviewer = try accessOptions.reviewer(client: cluster?.client, metrics: accessMetrics)
        let access = accessOptions.control(reviewer: reviewer, metrics: accessMetrics)
        let discovery = DiscoveryService(
            cache: cache, resolver: resolver, loops: group, readiness: readiness, metrics: metrics, access: access,
            answerTimeout: .seconds(answerTimeout), limits: limitOptions.streams,
            logger: Logger(label: "discovery"))
        var configuration = ServerConfiguration(bindAddress: try Transport.SocketAddress(xdsBindAddress))
        limitOptions.apply(to: &configuration)
        configuration.gracePeriod = .seconds(shutdownGracePeriod)
        configuration.maximumConnectionAge = accessOptions.maximumConnectionAge
        let router: any RPCRouter = access.map { GuardedRouter(discovery, access: $0) } ?? discovery
        let server = try RPCServer(
            configuration: configuration, loops: group, router: router,
            tls: accessOptions.credentials(metrics: tls), logger: Logger(label: "transport"))

        // Shut down in reverse: first no more streams, then what feeds them.
        let figures = MetricsSources(
            cache: cache, readiness: readiness, streams: metrics, tls: tls, access: accessMetrics, loopLag: loopLag,
            cluster: cluster)
        let sources = cluster.map { $0.services + $0.feedback } ?? [manifestSource(virtualServices, pods)]
        let services: [any Service] =
            [LogLevelSwitch(level: level, logger: logger), MemoryReturn(readiness: readiness, logger: logger)] + sources + [
                resolver, cache, probes(readiness), metricsEndpoint(figures), discovery,
            ] + debugEndpoint(DebugPages(discovery: discovery, cache: cache, level: level, figures: figures), logger)
            + (reviewer.map { [$0] } ?? []) + [XDSEndpoint(server: server, access: accessOptions, logger: logger)]
        try await ServiceGroup(
            configuration: .init(
                services: services.map {
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: $0, failureTerminationBehavior: .gracefullyShutdownGroup)
                },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "lifecycle"))
        ).run()
        logger.info("stopped")
    }

    private func cluster(
        _ virtualServices: VirtualServiceWatcher, _ pods: PodWatcher, _ reporter: ServiceReporter
    ) throws -> ClusterSource {
        try ClusterSource(
            configuration: ClusterSource.configuration(kubeconfig: kubeconfig, context: context), namespaces: namespaces,
            virtualServices: virtualServices, pods: pods, reporter: reporter, options: feedbackOptions,
            logger: Logger(label: "kubernetes"))
    }

    private func manifestSource(_ virtualServices: VirtualServiceWatcher, _ pods: PodWatcher) -> ManifestSource {
        ManifestSource(
            directory: manifests ?? "",
            virtualServices: NamespaceFilter(namespaces: Set(namespaces), receiver: virtualServices),
            pods: NamespaceFilter(namespaces: Set(namespaces), receiver: pods), logger: Logger(label: "manifests"))
    }

    private func probes(_ readiness: ControlPlane.Readiness) -> HTTPEndpoint {
        HTTPEndpoint(
            name: "probes", address: healthProbeBindAddress,
            routes: [
                "GET /healthz": { _ in .init(status: 200, body: "ok\n") },
                "GET /readyz": { _ in
                    readiness.isReady
                        ? .init(status: 200, body: "ok\n") : .init(status: 503, body: "not everything has been read yet\n")
                },
            ], logger: Logger(label: "http"))
    }

    private func metricsEndpoint(_ figures: MetricsSources) -> HTTPEndpoint {
        HTTPEndpoint(
            name: "metrics", address: metricsBindAddress,
            routes: [
                "GET /metrics": { request in
                    let format = MetricsWriter.Format(accept: request.accept)
                    return .init(status: 200, contentType: format.contentType, body: await figures.text(format))
                }
            ], logger: Logger(label: "http"))
    }
}

extension Serve {
    /// The address of the debug pages is a convenience unless it is asked for: without it a taken port ends nothing.
    private func debugEndpoint(_ pages: DebugPages, _ logger: Logger) -> [any Service] {
        if debugBindAddress == "" { return [] }
        let endpoint = HTTPEndpoint(
            name: "debug", address: debugBindAddress ?? "127.0.0.1:6060", routes: pages.routes, logger: Logger(label: "http"))
        return [debugBindAddress == nil ? OptionalEndpoint(endpoint: endpoint, logger: logger) : endpoint]
    }
}

extension LineLogHandler.Format: ExpressibleByArgument {}

extension Logger.Level: @retroactive ExpressibleByArgument {}
