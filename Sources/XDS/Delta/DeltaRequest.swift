/// A `DeltaDiscoveryRequest`, decoded, without the node.
public struct DeltaRequest: Sendable, Hashable {
    /// The type URL as the client wrote it.
    public var typeURL: String
    /// Names subscribed to by this request.
    public var subscribe: [String]
    /// Names given up by this request.
    public var unsubscribe: [String]
    /// What the client has from an earlier stream, by name; only in the first request of a type on a stream.
    public var held: HeldResources
    /// The nonce of the response that this request acknowledges or rejects; empty when it does neither.
    public var nonce: String
    /// Why the client rejected the response; nil for an acknowledgement.
    public var rejection: String?

    /// Makes a request.
    public init(
        typeURL: String, subscribe: [String] = [], unsubscribe: [String] = [], held: HeldResources = HeldResources(),
        nonce: String = "", rejection: String? = nil
    ) {
        self.typeURL = typeURL
        self.subscribe = subscribe
        self.unsubscribe = unsubscribe
        self.held = held
        self.nonce = nonce
        self.rejection = rejection
    }
}

/// What a stream must do after an event.
public enum DeltaAction: Sendable {
    /// Send a response of these two pieces.
    case send(head: [UInt8], body: [UInt8])
    /// Ask the group's snapshot.
    case fetch(Fetch)
    /// The state refers to `group` no more.
    case release(GroupID)
    /// The client rejected a response.
    case rejected(Rejection)
    /// The stream can't go on; the client reconnects and says what it has.
    case resync
}

/// A response that a client rejected.
public struct Rejection: Sendable, Hashable {
    /// The type.
    public let type: ResourceType
    /// The resources held to be at fault, whose bytes are not sent again; empty while that is being found out.
    public let culprits: [String]
    /// The client's words.
    public let message: String

    /// Makes a rejection.
    public init(type: ResourceType, culprits: [String], message: String) {
        self.type = type
        self.culprits = culprits
        self.message = message
    }
}
