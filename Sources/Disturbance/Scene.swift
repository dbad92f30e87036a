import TestKit

/// Three calls of four streams through a real Envoy, each stream 200 datagrams a second.
struct Scene: Sendable {
    let stage: Stage
    let envoy: EnvoyProcess
    let calls: [CallManifest]
    private let callers: [Caller]
    /// The worker that serves each call.
    private let homes: [String]

    /// The call that disturbances are about.
    var subject: CallManifest { calls[0] }
    /// The worker that serves it.
    var home: String { homes[0] }

    /// The listeners of the calls.
    var listeners: Set<String> { calls.reduce(into: []) { $0.formUnion($1.listeners) } }

    /// Starts an Envoy and the calls on `stage`, and waits until all are answered and each is at one worker.
    static func set(_ stage: Stage, form: DiscoveryForm, isHealthChecked: Bool, edit: (String) -> String = { $0 }) async throws
        -> Scene
    {
        let calls = try ["subject", "second", "third"].map { id in
            var call = try stage.call(id, isHealthChecked: isHealthChecked)
            call.healthCheckInterval = 500
            try stage.apply(call)
            return call
        }
        let node = stage.objects is SimulatedCluster || stage.objects is ServerProcess ? "default/\(stage.ingress.name)" : nil
        let envoy = try await stage.startEnvoy(node: node, form: form, edit: edit)
        try await envoy.awaitListeners(calls.reduce(into: []) { $0.formUnion($1.listeners) })
        if isHealthChecked {
            for call in calls {
                for index in call.streams.indices {
                    try await envoy.awaitStatistic("cluster.\(call.cluster(index)).membership_healthy") {
                        $0 == stage.workers.count
                    }
                }
            }
        }
        var callers: [Caller] = []
        var homes: [String] = []
        for call in calls {
            let caller = try call.caller(interval: .milliseconds(5))
            homes += try await caller.awaitAnswers("answers of one worker") { Set($0).count == 1 }.prefix(1)
            callers.append(caller)
        }
        return Scene(stage: stage, envoy: envoy, calls: calls, callers: callers, homes: homes)
    }

    /// Waits until every flow sent `count` further datagrams.
    func awaitSent(_ count: Int) async throws {
        for caller in callers { try await caller.awaitSent(count) }
    }

    /// Waits until the calls on `home` are answered by others.
    func awaitMoved() async throws {
        let home = home
        for (caller, own) in zip(callers, homes) where own == home {
            try await caller.awaitAnswers("answers of another worker") { !$0.contains(home) }
        }
    }

    /// Sets another call up, by which time all that came before it has reached the Envoy.
    @discardableResult
    func awaitMarker() async throws -> CallManifest {
        let marker = try stage.call("marker")
        try stage.apply(marker)
        try await awaitListeners(adding: marker.listeners)
        return marker
    }

    /// Waits until Envoy has the listeners of the calls and those of `others`, and no more.
    func awaitListeners(adding others: Set<String>) async throws {
        try await envoy.awaitListeners(calls.reduce(into: others) { $0.formUnion($1.listeners) }, within: .seconds(60))
    }

    /// Measures what `event` does to the calls, from just before it until a second after.
    func measure(_ promise: Promise, _ event: () async throws -> Void) async throws -> Account {
        let marks = callers.map(\.mark)
        let (listeners, clusters) = try await modifications()
        let sessions = try await envoy.admin.statistics(containing: "downstream_sess_total")
        try await event()
        try await awaitSent(200)
        var account = Account()
        let after = try await modifications()
        account.listenersModified = after.listeners - listeners
        account.clustersModified = after.clusters - clusters
        let made = try await envoy.admin.statistics(containing: "downstream_sess_total")
        for (index, caller) in callers.enumerated() {
            for (number, stream) in await caller.stop().enumerated() {
                let name = "udp.\(calls[index].listener(number)).downstream_sess_total"
                let isConcerned =
                    switch promise.concerned {
                    case .nobody: false
                    case .subject: index == 0
                    case .subjectsWorker: homes[index] == home
                    }
                let path = isConcerned ? \Account.concerned : \Account.others
                account[keyPath: path].count += 1
                account[keyPath: path].sent += stream.sent - marks[index][number]
                account[keyPath: path].lost += stream.lost(from: marks[index][number])
                account[keyPath: path].worst = max(account[keyPath: path].worst, stream.lost(from: marks[index][number]))
                account[keyPath: path].moved += stream.last?.worker == homes[index] ? 0 : 1
                account[keyPath: path].sessionsMade += made[name, default: 0] - sessions[name, default: 0]
            }
        }
        return account
    }

    private func modifications() async throws -> (listeners: UInt64, clusters: UInt64) {
        (
            try await envoy.admin.statistic("listener_manager.listener_modified"),
            try await envoy.admin.statistic("cluster_manager.cluster_modified")
        )
    }
}
