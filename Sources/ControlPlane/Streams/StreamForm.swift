import EnvoyAPI
import GRPC
import SwiftProtobuf
import XDS

/// The state of a stream, in either form of the protocol, with what it takes to read requests of that form.
enum StreamForm {
    case delta(DeltaDiscoveryStateMachine)
    case stateOfTheWorld(WorldDiscoveryStateMachine)

    /// A request of either form, decoded.
    struct Request {
        enum Content {
            case delta(DeltaRequest)
            case stateOfTheWorld(WorldRequest)
        }

        var content: Content
        let nodeID: String
        let nodeCluster: String
        /// Whether the client brought something from an earlier stream.
        let isReturning: Bool
        /// Whether it acknowledges or rejects a response.
        let isAnswer: Bool

        /// How many names it has: subscribed to, given up, or brought from an earlier stream.
        let nameCount: Int

        /// The type; a service of one type lets its clients leave it out (xDS protocol, "Resource Types").
        var typeURL: String {
            get {
                switch content {
                case .delta(let request): request.typeURL
                case .stateOfTheWorld(let request): request.typeURL
                }
            }
            set {
                switch content {
                case .delta(var request):
                    request.typeURL = newValue
                    content = .delta(request)
                case .stateOfTheWorld(var request):
                    request.typeURL = newValue
                    content = .stateOfTheWorld(request)
                }
            }
        }
    }

    init(_ method: DiscoveryMethod) {
        switch method.form {
        case .delta: self = .delta(DeltaDiscoveryStateMachine())
        case .stateOfTheWorld, .unary: self = .stateOfTheWorld(WorldDiscoveryStateMachine(isAggregated: method.type == nil))
        }
    }

    /// Responses that the client has not answered.
    var inFlightCount: Int {
        switch self {
        case .delta(let machine): machine.inFlightCount
        case .stateOfTheWorld(let machine): machine.inFlightCount
        }
    }

    /// Bytes of the names that the client has made the stream keep, each of which counts `nameCost` besides its text.
    func nameByteCount(nameCost: Int) -> Int {
        switch self {
        case .delta(let machine): machine.nameByteCount(nameCost: nameCost)
        case .stateOfTheWorld(let machine): machine.nameByteCount(nameCost: nameCost)
        }
    }

    /// How far the client is, by its own word.
    var progress: StreamProgress {
        switch self {
        case .delta(let machine): machine.progress
        case .stateOfTheWorld(let machine): machine.progress
        }
    }

    /// What is known of the client.
    var account: StreamAccount {
        switch self {
        case .delta(let machine): machine.account
        case .stateOfTheWorld(let machine): machine.account
        }
    }

    /// Reads a request; throws for bytes that are none, or that say too much.
    func decode(_ message: [UInt8], nameLimit: Int) throws -> Request {
        var options = BinaryDecodingOptions()
        // Envoy's node is some 60 KB, most of it fields that nobody reads.
        options.discardUnknownFields = true
        switch self {
        case .delta:
            let scan = try RequestScan(message, .delta, nameLimit: nameLimit)
            let request = try Envoy_Service_Discovery_V3_DeltaDiscoveryRequest(serializedBytes: message, options: options)
            return Request(
                content: .delta(DeltaRequest(request)), nodeID: request.node.id, nodeCluster: request.node.cluster,
                isReturning: !request.initialResourceVersions.isEmpty, isAnswer: !request.responseNonce.isEmpty,
                nameCount: scan.nameCount)
        case .stateOfTheWorld:
            let scan = try RequestScan(message, .stateOfTheWorld, nameLimit: nameLimit)
            let request = try Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: message, options: options)
            return Request(
                content: .stateOfTheWorld(WorldRequest(request)), nodeID: request.node.id, nodeCluster: request.node.cluster,
                isReturning: !request.versionInfo.isEmpty, isAnswer: !request.responseNonce.isEmpty, nameCount: scan.nameCount)
        }
    }

    mutating func received(_ request: Request) -> [DeltaAction] {
        switch (self, request.content) {
        case (.delta(var machine), .delta(let request)):
            self = .delta(DeltaDiscoveryStateMachine())
            defer { self = .delta(machine) }
            return machine.received(request)
        case (.stateOfTheWorld(var machine), .stateOfTheWorld(let request)):
            self = .stateOfTheWorld(WorldDiscoveryStateMachine())
            defer { self = .stateOfTheWorld(machine) }
            return machine.received(request)
        default: return []
        }
    }

    mutating func assigned(_ position: Position) -> [DeltaAction] { apply({ $0.assigned(position) }, { $0.assigned(position) }) }
    mutating func updated(_ update: GroupUpdate) -> [DeltaAction] { apply({ $0.updated(update) }, { $0.updated(update) }) }
    mutating func answered(_ results: [FetchResult]) -> [DeltaAction] {
        apply({ $0.answered(results) }, { $0.answered(results) })
    }
    mutating func graceElapsed() -> [DeltaAction] { apply({ $0.graceElapsed() }, { $0.graceElapsed() }) }

    /// Whether a listener is withheld because its address was taken.
    var hasAddressConflicts: Bool {
        switch self {
        case .delta(let machine): machine.hasAddressConflicts
        case .stateOfTheWorld(let machine): machine.hasAddressConflicts
        }
    }

    mutating func addressPauseElapsed() -> [DeltaAction] { apply({ $0.addressPauseElapsed() }, { $0.addressPauseElapsed() }) }

    /// The machine is taken out while it works, so that its storage is not copied.
    private mutating func apply(
        _ delta: (inout DeltaDiscoveryStateMachine) -> [DeltaAction], _ world: (inout WorldDiscoveryStateMachine) -> [DeltaAction]
    ) -> [DeltaAction] {
        switch self {
        case .delta(var machine):
            self = .delta(DeltaDiscoveryStateMachine())
            defer { self = .delta(machine) }
            return delta(&machine)
        case .stateOfTheWorld(var machine):
            self = .stateOfTheWorld(WorldDiscoveryStateMachine())
            defer { self = .stateOfTheWorld(machine) }
            return world(&machine)
        }
    }
}

extension WorldRequest {
    init(_ request: Envoy_Service_Discovery_V3_DiscoveryRequest) {
        self.init(
            typeURL: request.typeURL, version: request.versionInfo, names: request.resourceNames, nonce: request.responseNonce,
            rejection: request.hasErrorDetail ? String(request.errorDetail.message.prefix(4096)) : nil)
    }
}
