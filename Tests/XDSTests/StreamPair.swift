@testable import XDS

/// A stream's two ends: the machine under test, and the simulated client.
protocol StreamPair {
    associatedtype Request: AnswersResponses
    /// How many responses with clusters may be unanswered.
    static var clusterWindow: Int { get }
    /// Whether the client says at once that it rejects endpoints: one that holds its answers about clusters back until it has endpoints
    /// would wait for a timeout.
    static var rejectsEndpoints: Bool { get }
    init()
    /// The client's memory of earlier streams stays, the machine is new.
    mutating func connect() -> [Request]
    mutating func clientReceives(_ bytes: [UInt8]) -> [Request]
    mutating func serverReceives(_ request: Request) -> [DeltaAction]
    mutating func assigned(_ position: Position) -> [DeltaAction]
    mutating func updated(_ update: GroupUpdate) -> [DeltaAction]
    mutating func answered(_ results: [FetchResult]) -> [DeltaAction]
    mutating func graceElapsed() -> [DeltaAction]
    var namesCulprits: Bool { get set }
    var refusesWholeClusters: Bool { get set }
    var excusesFirstAnswer: Bool { get set }
    var isSettled: Bool { get }
    var progress: StreamProgress { get }
    var versions: [ResourceType: [String: String]] { get }
    var endpointNames: Set<String> { get }
    var warming: Set<String> { get }
    var faults: [String] { get }
}

/// A request that may answer a response.
protocol AnswersResponses {
    var nonce: String { get }
    var typeURL: String { get }
}

extension DeltaRequest: AnswersResponses {}
extension WorldRequest: AnswersResponses {}

struct DeltaPair: StreamPair {
    static let clusterWindow = 64
    static let rejectsEndpoints = true
    private var machine = DeltaDiscoveryStateMachine()
    private var envoy = SimulatedEnvoy()

    mutating func connect() -> [DeltaRequest] {
        machine = DeltaDiscoveryStateMachine()
        return envoy.connect()
    }
    mutating func clientReceives(_ bytes: [UInt8]) -> [DeltaRequest] { envoy.receive(bytes) }
    mutating func serverReceives(_ request: DeltaRequest) -> [DeltaAction] { machine.received(request) }
    mutating func assigned(_ position: Position) -> [DeltaAction] { machine.assigned(position) }
    mutating func updated(_ update: GroupUpdate) -> [DeltaAction] { machine.updated(update) }
    mutating func answered(_ results: [FetchResult]) -> [DeltaAction] { machine.answered(results) }
    mutating func graceElapsed() -> [DeltaAction] { machine.graceElapsed() }
    var namesCulprits: Bool {
        get { envoy.namesCulprits }
        set { envoy.namesCulprits = newValue }
    }
    var excusesFirstAnswer = false
    var refusesWholeClusters: Bool {
        get { envoy.refusesWholeClusters }
        set { envoy.refusesWholeClusters = newValue }
    }
    var isSettled: Bool { machine.isSettled }
    var progress: StreamProgress { machine.progress }
    var versions: [ResourceType: [String: String]] { envoy.versions }
    var endpointNames: Set<String> { envoy.endpointNames }
    var warming: Set<String> { envoy.warming }
    var faults: [String] { envoy.faults }
}

struct WorldPair: StreamPair {
    static let clusterWindow = 8
    static let rejectsEndpoints = false
    private var machine = WorldDiscoveryStateMachine()
    private var envoy = SimulatedWorldEnvoy()

    mutating func connect() -> [WorldRequest] {
        machine = WorldDiscoveryStateMachine()
        return envoy.connect()
    }
    mutating func clientReceives(_ bytes: [UInt8]) -> [WorldRequest] { envoy.receive(bytes) }
    mutating func serverReceives(_ request: WorldRequest) -> [DeltaAction] { machine.received(request) }
    mutating func assigned(_ position: Position) -> [DeltaAction] { machine.assigned(position) }
    mutating func updated(_ update: GroupUpdate) -> [DeltaAction] { machine.updated(update) }
    mutating func answered(_ results: [FetchResult]) -> [DeltaAction] { machine.answered(results) }
    mutating func graceElapsed() -> [DeltaAction] { machine.graceElapsed() }
    var namesCulprits: Bool {
        get { envoy.namesCulprits }
        set { envoy.namesCulprits = newValue }
    }
    var excusesFirstAnswer: Bool {
        get { envoy.excusesFirstAnswer }
        set { envoy.excusesFirstAnswer = newValue }
    }
    var refusesWholeClusters: Bool {
        get { envoy.refusesWholeClusters }
        set { envoy.refusesWholeClusters = newValue }
    }
    var isSettled: Bool { machine.isSettled }
    var progress: StreamProgress { machine.progress }
    var versions: [ResourceType: [String: String]] { envoy.versions }
    var endpointNames: Set<String> { envoy.endpointNames }
    var warming: Set<String> { envoy.warming }
    var faults: [String] { envoy.faults }
}
