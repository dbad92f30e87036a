/// What the operator promises of a disturbance. Flows that it doesn't concern lose nothing, and keep worker and session.
public struct Promise: Sendable {
    /// The flows that a disturbance may concern.
    public enum Concerned: Sendable {
        /// None.
        case nobody
        /// Those of the first call.
        case subject
        /// Those of every call on the first call's worker.
        case subjectsWorker
    }

    /// The flows that may feel it.
    public var concerned = Concerned.nobody
    /// How many datagrams each of them loses at most; nil for as many as it takes.
    public var lostPerFlow: Int? = 0
    /// Whether they all move to another worker; otherwise none does.
    public var moves = false
    /// How many listeners Envoy is told to modify.
    public var listenersModified: UInt64 = 0
    /// How many clusters Envoy is told to modify.
    public var clustersModified: UInt64 = 0
}

/// What became of some flows.
public struct FlowAccount: Sendable {
    /// How many there were.
    public internal(set) var count = 0
    /// Datagrams sent since the disturbance.
    public internal(set) var sent = 0
    /// Datagrams of all of them that were never answered.
    public internal(set) var lost = 0
    /// The most that one of them lost.
    public internal(set) var worst = 0
    /// How many were answered by another worker in the end than before.
    public internal(set) var moved = 0
    /// Sessions that Envoy made since.
    public internal(set) var sessionsMade: UInt64 = 0
}

/// What one disturbance did.
public struct Account: Sendable {
    /// The flows that it may concern.
    public internal(set) var concerned = FlowAccount()
    /// All others.
    public internal(set) var others = FlowAccount()
    /// Listeners that Envoy modified.
    public internal(set) var listenersModified: UInt64 = 0
    /// Clusters that Envoy modified.
    public internal(set) var clustersModified: UInt64 = 0

    /// In which points this is not as promised; empty when it is.
    public func violations(of promise: Promise) -> [String] {
        var found: [String] = []
        func check(_ holds: Bool, _ text: String) { if !holds { found.append(text) } }
        check(others.lost == 0, "flows that it doesn't concern lost \(others.lost) datagrams")
        check(others.moved == 0, "\(others.moved) flows that it doesn't concern moved")
        check(others.sessionsMade == 0, "\(others.sessionsMade) sessions of flows that it doesn't concern were made anew")
        check((concerned.count > 0) == (promise.concerned != .nobody), "\(concerned.count) flows are concerned")
        if let limit = promise.lostPerFlow {
            check(concerned.worst <= limit, "a flow lost \(concerned.worst) datagrams, more than \(limit)")
        }
        let moving = promise.moves ? concerned.count : 0
        check(concerned.moved == moving, "\(concerned.moved) flows moved rather than \(moving)")
        check(
            listenersModified == promise.listenersModified,
            "\(listenersModified) listeners were modified rather than \(promise.listenersModified)")
        check(
            clustersModified == promise.clustersModified,
            "\(clustersModified) clusters were modified rather than \(promise.clustersModified)")
        return found
    }
}
