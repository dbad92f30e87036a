package import XDS

/// The state of a stream, in either form of the protocol, with what it takes to read requests of that form.
///
/// A form is an object that owns a machine and changes it in place: a machine in an enumeration, or behind a protocol of values, would be
/// copied with all that is in it for each look at it. It belongs to its stream, whose isolation it never leaves.
package protocol StreamForm: AnyObject {
    /// Responses that the client has not answered.
    var inFlightCount: Int { get }
    /// How far the client is, by its own word.
    var progress: StreamProgress { get }
    /// What is known of the client.
    var account: StreamAccount { get }
    /// Whether a listener is withheld because its address was taken.
    var hasAddressConflicts: Bool { get }
    /// Bytes of the names that the client has made the stream keep, each of which counts `nameCost` besides its text.
    func nameByteCount(nameCost: Int) -> Int
    /// Reads a request; throws for bytes that are none, or that say too much.
    /// - Parameter needsNode: whether somebody wants to know what the request says of the node.
    func decode(_ message: [UInt8], nameLimit: Int, needsNode: Bool) throws -> StreamRequest

    /// What a message leads to that acknowledges a response and says nothing else, from a client whose node is known; nil for others.
    /// - Parameter type: the only type that the client may speak of; nil for all.
    func acknowledged(_ message: [UInt8], of type: ResourceType?) -> [DeltaAction]?
    func received(_ request: StreamRequest) -> [DeltaAction]
    func assigned(_ position: Position) -> [DeltaAction]
    func updated(_ update: GroupUpdate) -> [DeltaAction]
    func answered(_ results: [FetchResult]) -> [DeltaAction]
    func graceElapsed() -> [DeltaAction]
    func addressPauseElapsed() -> [DeltaAction]
}

/// A request of either form, decoded.
package struct StreamRequest {
    enum Content {
        case delta(DeltaRequest)
        case stateOfTheWorld(WorldRequest)
    }

    var content: Content
    var nodeID = ""
    var nodeCluster = ""
    /// Whether it acknowledges or rejects a response.
    let isAnswer: Bool
    /// How many names it has that the stream does not know to be those that it has already: subscribed to, given up, or brought from an
    /// earlier stream.
    var nameCount = 0

    /// Whether the client rejects something, in words that are kept.
    var isRejection: Bool {
        switch content {
        case .delta(let request): request.rejection != nil
        case .stateOfTheWorld(let request): request.rejection != nil
        }
    }

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

extension DiscoveryMethod {
    /// The state of a new stream.
    var newForm: any StreamForm {
        switch form {
        case .delta: DeltaForm()
        case .stateOfTheWorld, .unary: WorldForm(isAggregated: type == nil)
        }
    }
}
