/// A `DiscoveryRequest`, decoded, without the node.
public struct WorldRequest: Sendable, Hashable {
    /// The type URL as the client wrote it.
    public var typeURL: String
    /// The last version that the client accepted; empty for none.
    public var version: String
    /// Every name subscribed to; nil when they are those of the last request that was taken in.
    public var names: [String]?
    /// Tells this list of names from others; nil when nobody has worked it out.
    public var namesMark: Int?
    /// The nonce of the response that this request acknowledges or rejects; empty when it does neither.
    public var nonce: String
    /// Why the client rejected the response; nil for an acknowledgement.
    public var rejection: String?

    /// Makes a request.
    public init(
        typeURL: String, version: String = "", names: [String]? = [], namesMark: Int? = nil, nonce: String = "",
        rejection: String? = nil
    ) {
        self.typeURL = typeURL
        self.version = version
        self.names = names
        self.namesMark = namesMark
        self.nonce = nonce
        self.rejection = rejection
    }
}

/// What a state-of-the-world client has subscribed to, of one type; each of its requests says all of it (xDS protocol, "How the client
/// specifies what resources to return").
struct WorldSubscription {
    /// Subscribed to everything, now and later.
    private(set) var isWildcard = false
    /// The names subscribed to.
    private(set) var names: Set<String> = []
    /// Whether a list was ever not empty: from then on an empty one means nothing, rather than everything.
    private var hasNamed = false

    /// Whether `name` is subscribed to.
    func includes(_ name: String) -> Bool { isWildcard || names.contains(name) }

    /// Takes in the list of a request; returns the names that are new in it, and whether everything is.
    /// - Parameter list: nil for the one taken in last.
    mutating func replace(by list: [String]?, type: ResourceType) -> (names: Set<String>, everything: Bool) {
        guard let list else { return ([], false) }
        let before = self
        if !list.isEmpty { hasNamed = true }
        names = Set(list).subtracting(["*"])
        // An empty list asks for everything only of the types for which that was so before "*" was.
        isWildcard = list.isEmpty ? !hasNamed && type != .endpoint : list.contains("*")
        return (names.subtracting(before.names), isWildcard && !before.isWildcard)
    }
}
