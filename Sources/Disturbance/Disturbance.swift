/// Something that happens around live calls.
public enum Disturbance: String, CaseIterable, Sendable {
    case operatorRestarts, replicaSwitch, apiServerLoss, identicalResend
    case objectAdded, objectChanged, objectDeleted, objectRejected
    case workerAdded, workerTerminates, lastWorkerTerminates, workerGone, healthCheckFails, workerKilled
    case listenerEdited, clusterEdited

    /// What happens, for a person.
    public var title: String {
        switch self {
        case .operatorRestarts: "operator restarted"
        case .replicaSwitch: "operator killed, Envoy goes to another replica"
        case .apiServerLoss: "API server lost for 2 s, back without its history"
        case .identicalResend: "objects written again, spec unchanged"
        case .objectAdded: "another call set up"
        case .objectChanged: "another call's port changed"
        case .objectDeleted: "another call torn down"
        case .objectRejected: "Envoy rejects another call's listener (port held by another process)"
        case .workerAdded: "worker pod added"
        case .workerTerminates: "worker pod terminating"
        case .lastWorkerTerminates: "the only worker pod terminating"
        case .workerGone: "terminating worker pod gone"
        case .healthCheckFails: "worker fails its health check (every 500 ms)"
        case .workerKilled: "worker killed, health check every 500 ms"
        case .listenerEdited: "the call's listeners edited (idle timeout)"
        case .clusterEdited: "the call's clusters edited (health check added)"
        }
    }

    /// What the operator promises of it.
    public var promise: Promise {
        switch self {
        case .operatorRestarts, .replicaSwitch, .apiServerLoss, .identicalResend, .objectAdded, .objectDeleted, .objectRejected,
            .workerAdded, .workerTerminates, .lastWorkerTerminates:
            Promise()
        // One listener of the other call, and nobody else's.
        case .objectChanged: Promise(listenersModified: 1)
        // A datagram may be on its way when Envoy makes its session anew.
        case .workerGone, .healthCheckFails: Promise(concerned: .subjectsWorker, lostPerFlow: 1, moves: true)
        case .workerKilled: Promise(concerned: .subjectsWorker, lostPerFlow: nil, moves: true)
        case .listenerEdited: Promise(concerned: .subject, lostPerFlow: 1, listenersModified: 4)
        case .clusterEdited: Promise(concerned: .subject, lostPerFlow: 1, clustersModified: 4)
        }
    }

    /// Workers that run from the start.
    var workerCount: Int { self == .lastWorkerTerminates ? 1 : 3 }

    /// Whether the calls are health-checked from the start.
    var isHealthChecked: Bool { self == .healthCheckFails || self == .workerKilled }
}
