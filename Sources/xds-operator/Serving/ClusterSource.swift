import ControlPlane
import Domain
import Foundation
import Kubernetes
import KubernetesClient
import Logging
import ServiceLifecycle

/// The objects of a cluster: its API server, and a watch of each kind.
struct ClusterSource {
    /// The watches.
    let services: [any Service]
    /// What they count.
    let metrics: [WatchMetrics]
    /// What was written.
    let writeMetrics = WriteMetrics()
    /// What writes to the API server.
    let feedback: [any Service]
    /// Sends requests to the API server.
    let client: any APIClient
    /// Whether this replica leads.
    let leadership: Leadership
    private let observer: StatusWriter

    /// Prepares to watch the cluster of `configuration`.
    /// - Parameter reporter: what is known of the objects, for their status.
    init(
        configuration: ClusterConfiguration, namespaces: [String], virtualServices: VirtualServiceWatcher, pods: PodWatcher,
        reporter: ServiceReporter, options: FeedbackOptions, logger: Logger
    ) throws {
        let client = CurlAPIClient(cluster: configuration, loop: try CurlLoop(), logger: logger)
        self.client = client
        let serviceMetrics = WatchMetrics(resource: "virtualservices")
        let podMetrics = WatchMetrics(resource: "pods")
        let feedback = options.feedback(
            client: CountedClient(client, metrics: writeMetrics), reports: reporter,
            environment: ProcessInfo.processInfo.environment)
        self.feedback = feedback.services
        leadership = feedback.leadership
        observer = feedback.observer
        let receiver = WatchedServiceReceiver(services: virtualServices, reporter: reporter, observer: feedback.observer)
        services = [
            KubernetesSource(
                kind: .watchedVirtualServices, namespaces: namespaces, client: client, receiver: receiver,
                metrics: serviceMetrics, logger: logger),
            KubernetesSource(
                kind: .pods, namespaces: namespaces, client: client, receiver: pods, metrics: podMetrics, logger: logger),
        ]
        metrics = [serviceMetrics, podMetrics]
    }

    /// What the conditions of all objects say; nil on replicas that do not lead, so that a sum over replicas counts each object once.
    var conditions: ConditionCounts? {
        get async { leadership.isHeld ? await observer.conditions : nil }
    }

    /// Which cluster the options mean: the file, or what `KUBECONFIG` names when only a context is given, or the one that we run in.
    static func configuration(kubeconfig: String?, context: String?) throws -> ClusterConfiguration {
        let environment = ProcessInfo.processInfo.environment
        if let kubeconfig { return try Kubeconfig.configuration(paths: [kubeconfig], context: context) }
        if let context {
            let paths = environment["KUBECONFIG"].map { Kubeconfig.paths(environmentValue: $0) } ?? []
            let standard = environment["HOME"].map { ["\($0)/.kube/config"] } ?? []
            return try Kubeconfig.configuration(paths: paths.isEmpty ? standard : paths, context: context)
        }
        return try InCluster.configuration(environment: environment)
    }
}
