import Foundation
import KubeAPISimulator
public import TestKit

extension Disturbance {
    /// Plays it with a real Envoy that speaks `form`, an operator, workers and calls, and tells what it did.
    ///
    /// - Parameter root: the directory of the package, where the custom resource definition is found.
    /// - Throws: what kept it from being played to its end, with the logs of all processes.
    public func play(_ form: DiscoveryForm, root: String) async throws -> Account {
        let cluster = self == .apiServerLoss ? try SimulatedCluster(definition: root + SimulatedCluster.definition) : nil
        let account = Observed<Account?>(nil)
        try await Stage.play(workers: workerCount, objects: cluster) { stage in
            if let cluster, self == .apiServerLoss {
                let scene = try await Scene.set(stage, form: form, isHealthChecked: false)
                let result = try await scene.measure(promise) { try await Self.loseServer(scene, cluster) }
                account.update { $0 = result }
            } else {
                let result = try await play(stage, form)
                account.update { $0 = result }
            }
        }
        if let cluster { try await cluster.api.stop() }
        guard let account = account.value else { throw CancellationError() }
        return account
    }

    private func play(_ stage: Stage, _ form: DiscoveryForm) async throws -> Account {
        switch self {
        case .replicaSwitch: return try await switchReplica(stage, form)
        default: break
        }
        if self == .workerAdded, let newcomer = stage.workers.last { try stage.delete(Stage.pod(of: newcomer)) }
        let scene = try await Scene.set(stage, form: form, isHealthChecked: isHealthChecked)
        let other = try stage.call("other")
        switch self {
        case .objectChanged, .objectDeleted:
            try stage.apply(other)
            try await scene.awaitListeners(adding: other.listeners)
        case .workerGone: try await scene.terminate(scene.home)
        default: break
        }
        return try await scene.measure(promise) { try await happen(scene, other) }
    }

    private func happen(_ scene: Scene, _ other: CallManifest) async throws {
        let (stage, home) = (scene.stage, scene.home)
        switch self {
        case .operatorRestarts:
            _ = try await stage.xdsOperator.child.stop(grace: .seconds(20))
            try await scene.envoy.awaitStatistic("control_plane.connected_state") { $0 == 0 }
            _ = try await stage.restartOperator()
            try await scene.awaitMarker()
        case .identicalResend:
            for var call in scene.calls {
                call.annotations = ["note": "again"]
                try stage.apply(call)
            }
            try await scene.awaitMarker()
        case .objectAdded:
            try stage.apply(other)
            try await scene.awaitListeners(adding: other.listeners)
        case .objectChanged:
            var other = other
            other.streams[0].port = try stage.ground.port()
            try stage.apply(other)
            _ = try await Caller(name: "moved", ports: [other.ports[0]]).freshAnswers()
        case .objectDeleted:
            try stage.delete(other)
            try await scene.awaitListeners(adding: [])
        case .objectRejected:
            let held = try Descriptor.udp(boundTo: SocketAddress("0.0.0.0", other.ports[0]))
            try stage.apply(other)
            try await scene.envoy.awaitStatistic("listener_manager.lds.update_rejected") { $0 > 0 }
            try await scene.awaitListeners(adding: other.listeners.subtracting([other.listener(0)]))
            let marker = try stage.call("marker")
            try stage.apply(marker)
            try await scene.awaitListeners(adding: marker.listeners.union(other.listeners).subtracting([other.listener(0)]))
            withExtendedLifetime(held) {}
        case .workerAdded:
            for worker in stage.workers.suffix(1) { try stage.apply(Stage.pod(of: worker)) }
            for call in scene.calls {
                try await scene.envoy.awaitHosts(of: call.cluster(3), are: stage.hosts(stage.workers, of: call, 3))
            }
        case .workerTerminates: try await scene.terminate(home)
        case .lastWorkerTerminates:
            try scene.markTerminating(home)
            // A new session goes there as well.
            _ = try await scene.awaitMarker().caller().freshAnswers()
        case .workerGone: try stage.delete(stage.pod(of: home))
        case .healthCheckFails: await stage.workers.first { $0.name == home }?.closeHealthPort()
        case .workerKilled: await stage.workers.first { $0.name == home }?.stop()
        case .listenerEdited:
            var call = scene.subject
            call.idleTimeout = 45_000
            try stage.apply(call)
            try await scene.envoy.awaitStatistic("listener_manager.listener_modified") { $0 >= 4 }
        case .clusterEdited:
            var call = try stage.call(scene.subject.id, isHealthChecked: true)
            call.streams = scene.subject.streams
            call.healthCheckInterval = 500
            try stage.apply(call)
            try await scene.envoy.awaitStatistic("cluster_manager.cluster_modified") { $0 >= 4 }
            try await scene.envoy.awaitStatistic("cluster_manager.warming_clusters") { $0 == 0 }
        case .replicaSwitch, .apiServerLoss: break
        }
        if promise.moves { try await scene.awaitMoved() }
    }

    /// The server is away while calls run, then comes back with the objects but without their history.
    private static func loseServer(_ scene: Scene, _ cluster: SimulatedCluster) async throws {
        try await cluster.api.goDown()
        try await scene.awaitSent(400)
        try await cluster.api.comeBack(losingHistory: true)
        try await scene.awaitMarker()
    }

    /// Envoy knows two operators; the one that it is connected to is killed.
    private func switchReplica(_ stage: Stage, _ form: DiscoveryForm) async throws -> Account {
        let second = try await stage.startOperator(port: try stage.ground.port())
        let addresses = [stage.xdsOperator.xds, second.xds]
        let scene = try await Scene.set(stage, form: form, isHealthChecked: false) { bootstrap in
            bootstrap.replacing(#/ {14}- endpoint:(?:\n {18}.*)+/#) { match in
                addresses.map { address in
                    match.output.replacing(String(addresses[0].port), with: String(address.port))
                }.joined(separator: "\n")
            }
        }
        let replicas = [stage.xdsOperator, second]
        let serving = replicas.firstIndex { $0.child.output.contains("stream began") } ?? 0
        return try await scene.measure(promise) {
            replicas[serving].child.signal(9)
            _ = try await replicas[1 - serving].child.line("the Envoy's stream", within: .seconds(60)) {
                $0.contains("stream began") ? () : nil
            }
            try await scene.awaitMarker()
        }
    }
}

extension Scene {
    /// Marks the pod of `worker` as being deleted.
    fileprivate func markTerminating(_ worker: String) throws {
        var pod = stage.pod(of: worker)
        pod.isTerminating = true
        try stage.apply(pod)
    }

    /// Marks the pod of `worker` as being deleted, and waits until Envoy spares it.
    fileprivate func terminate(_ worker: String) async throws {
        try markTerminating(worker)
        for call in calls {
            for index in call.streams.indices {
                try await envoy.awaitStatistic("cluster.\(call.cluster(index)).membership_degraded") { $0 == 1 }
            }
        }
    }
}
