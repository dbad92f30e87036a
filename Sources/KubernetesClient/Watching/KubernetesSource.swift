import Domain
public import Kubernetes
public import Logging
public import ServiceLifecycle

/// The objects of one kind, as an API server tells them: one watch, or one for each of some namespaces.
///
/// The receiver is told in the order of ``WatchEvent``. An object that can't be served is withdrawn (`deleted`), logged, and told to `verdicts`;
/// it never disturbs another. While the server can't be reached nothing is told, so that everything stays as it is. `run()` returns on
/// cancellation or graceful shutdown, and throws never otherwise: every failure is logged, counted and tried again.
public struct KubernetesSource<Object: KeyedObject>: Service, CustomStringConvertible {
    private let kind: WatchedKind<Object>
    private let namespaces: [String]
    private let client: any StreamingAPIClient
    private let receiver: any WatchEventReceiver<Object>
    private let verdicts: (any ObjectVerdictReceiver)?
    private let metrics: WatchMetrics
    private let configuration: WatchStateMachine.Configuration
    private let time: any WatchTime
    private let logger: Logger

    /// Makes a source of the objects of `kind` in `namespaces`; empty for all.
    public init(
        kind: WatchedKind<Object>, namespaces: [String] = [], client: any StreamingAPIClient,
        receiver: any WatchEventReceiver<Object>, verdicts: (any ObjectVerdictReceiver)? = nil, metrics: WatchMetrics,
        configuration: WatchStateMachine.Configuration = WatchStateMachine.Configuration(),
        time: any WatchTime = SystemWatchTime(), logger: Logger
    ) {
        self.kind = kind
        self.namespaces = Set(namespaces).sorted()
        self.client = client
        self.receiver = receiver
        self.verdicts = verdicts
        self.metrics = metrics
        self.configuration = configuration
        self.time = time
        self.logger = logger
    }

    public var description: String { "watch of \(kind.qualifiedName)" }

    /// Lists and watches until cancellation or graceful shutdown.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            guard namespaces.count > 1 else {
                return await watch(namespace: namespaces.first, receiver: receiver).run()
            }
            let merging = MergingReceiver(namespaces: namespaces, receiver: receiver)
            await merging.begin()
            await withTaskGroup { group in
                for namespace in namespaces {
                    let watch = watch(namespace: namespace, receiver: NamespacedReceiver(namespace: namespace, merging: merging))
                    group.addTask { await watch.run() }
                }
            }
        }
    }

    private func watch(namespace: String?, receiver: any WatchEventReceiver<Object>) -> ObjectWatch<Object> {
        ObjectWatch(
            kind: kind, namespace: namespace, client: client, receiver: receiver, verdicts: verdicts, metrics: metrics,
            configuration: configuration, time: time, logger: logger)
    }
}

/// Owns what the watches of several namespaces have told together.
private actor MergingReceiver<Object: KeyedObject> {
    private var merge: NamespaceMerge<Object>
    private let receiver: any WatchEventReceiver<Object>

    init(namespaces: [String], receiver: any WatchEventReceiver<Object>) {
        merge = NamespaceMerge(namespaces: namespaces)
        self.receiver = receiver
    }

    /// To be called before the watches begin.
    func begin() async {
        for event in merge.begin() { await receiver.receive(event) }
    }

    /// Each namespace waits for its own events, so those of one namespace stay in order.
    func receive(_ event: WatchEvent<Object>, from namespace: String) async {
        for event in merge.events(of: event, from: namespace) { await receiver.receive(event) }
    }
}

/// The receiver of one namespace's watch.
private struct NamespacedReceiver<Object: KeyedObject>: WatchEventReceiver {
    let namespace: String
    let merging: MergingReceiver<Object>

    func receive(_ event: WatchEvent<Object>) async { await merging.receive(event, from: namespace) }
}
