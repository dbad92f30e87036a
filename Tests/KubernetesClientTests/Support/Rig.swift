import Domain
import Kubernetes
import KubernetesClient
import Logging
import TestKit

/// Runs a source of pods, or of VirtualServices, against a scripted server while a test plays.
struct Rig<Object: KeyedObject> {
    let server: ScriptedServer
    let recorder = Recorder<Object>()
    let time: TestTime
    let metrics = WatchMetrics(resource: "things")
    let log = LogRecorder()
    var configuration = WatchStateMachine.Configuration()
    let kind: WatchedKind<Object>
    var namespaces: [String] = []

    init(
        _ kind: WatchedKind<Object>, time: TestTime = TestTime(skipping: .seconds(20)), streaming: Bool = false,
        _ script: @escaping @Sendable (ScriptedServer.Request) -> [ScriptedServer.Action]
    ) throws {
        self.kind = kind
        self.time = time
        configuration.prefersStreamingList = streaming
        configuration.watchdogSlack = .seconds(100)
        server = try ScriptedServer(script)
    }

    func client() throws -> CurlAPIClient {
        CurlAPIClient(
            cluster: ClusterConfiguration(server: ServerURL(scheme: "http", host: "127.0.0.1", port: server.port)),
            loop: try CurlLoop(),
            logger: log.logger)
    }

    /// Runs the source while `body` does, and ends both.
    func run(_ body: () async throws -> Void) async throws {
        let source = KubernetesSource(
            kind: kind, namespaces: namespaces, client: try client(), receiver: recorder, verdicts: recorder, metrics: metrics,
            configuration: configuration, time: time, logger: log.logger)
        try await withThrowingTaskGroup { group in
            group.addTask { try await source.run() }
            defer { group.cancelAll() }
            try await body()
        }
    }
}

/// What an API server says of pods.
enum PodText {
    static func pod(_ name: String, version: String = "1", namespace: String = "ns", text: String = "") -> String {
        #"{"metadata":{"name":"\#(name)","namespace":"\#(namespace)","uid":"u-\#(name)","resourceVersion":"\#(version)"}\#(text)}"#
    }

    static func list(_ version: String, _ names: [String], more: String = "", namespace: String = "ns") -> String {
        let items = names.map { pod($0, namespace: namespace) }.joined(separator: ",")
        return #"{"kind":"PodList","metadata":{"resourceVersion":"\#(version)","continue":"\#(more)"},"items":[\#(items)]}"#
    }

    static func event(_ type: String, _ object: String) -> String { #"{"type":"\#(type)","object":\#(object)}"# + "\n" }

    static func bookmark(_ version: String, isEnd: Bool = false) -> String {
        let annotations = isEnd ? #","annotations":{"k8s.io/initial-events-end":"true"}"# : ""
        return event("BOOKMARK", #"{"kind":"Pod","metadata":{"resourceVersion":"\#(version)"\#(annotations)}}"#)
    }

    static func status(_ code: Int, _ reason: String, _ message: String = "no") -> String {
        #"{"kind":"Status","status":"Failure","code":\#(code),"reason":"\#(reason)","message":"\#(message)"}"#
    }
}
