public import Domain
public import Kubernetes
public import Logging
public import ServiceLifecycle

/// How the operator writes to the Kubernetes API.
public struct FeedbackSettings: Sendable {
    /// Whether replicas elect who writes what all share. Without, this replica must be the only one.
    public var electsLeader: Bool
    /// The lease of the election; the replicas' own leases are in the same namespace.
    public var lease: ObjectKey
    /// This replica's name, unlike that of every other.
    public var replica: String
    /// Limits of what is written to VirtualServices.
    public var status: StatusSettings

    /// Makes settings.
    public init(electsLeader: Bool, lease: ObjectKey, replica: String, status: StatusSettings = StatusSettings()) {
        self.electsLeader = electsLeader
        self.lease = lease
        self.replica = replica
        self.status = status
    }
}

/// Everything that writes to the Kubernetes API, wired up.
public struct KubernetesFeedback: Sendable {
    /// To be told what the watch of VirtualServices shows, in order, before or after those who serve the objects.
    public let observer: StatusWriter
    /// In the order in which to start them; to be shut down in reverse, before the API client.
    public let services: [any Service]
    /// Whether this replica leads.
    public let leadership: Leadership

    /// Wires it up.
    /// - Parameters:
    ///   - reports: what the control plane knows of each VirtualService.
    ///   - time: the system's clocks, but in tests.
    public init(
        client: any APIClient, reports: any ServiceReports, settings: FeedbackSettings, time: any TimeSource = SystemTime(),
        logger: Logger
    ) {
        let bell = Bell()
        let backlog = EntryBacklog()
        let leadership = Leadership(time: time, isPermanent: !settings.electsLeader)
        self.leadership = leadership
        let recorder = EventRecorder(
            client: client, replica: settings.replica, leadership: leadership, time: time, logger: logger)
        var services: [any Service] = []
        var presence: ReplicaPresence?
        if settings.electsLeader {
            services.append(
                LeaderElection(
                    client: client, lease: settings.lease, identity: settings.replica, leadership: leadership, time: time,
                    changed: bell, logger: logger))
            let replicas = ReplicaPresence(
                client: client, namespace: settings.lease.namespace, replica: settings.replica, leadership: leadership,
                backlog: backlog, time: time, changed: bell, logger: logger)
            services.append(replicas)
            presence = replicas
        }
        observer = StatusWriter(
            client: client, reports: reports, replica: settings.replica, settings: settings.status, presence: presence,
            leadership: leadership, backlog: backlog, recorder: recorder, time: time, bell: bell, logger: logger)
        services += [recorder, observer]
        self.services = services
    }
}
