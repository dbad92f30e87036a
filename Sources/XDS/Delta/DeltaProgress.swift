/// How far an Envoy is with the configuration that its stream carries, by its own word.
public struct StreamProgress: Sendable, Hashable {
    /// A resource that the Envoy rejected, and that is withheld from it.
    public struct Rejected: Sendable, Hashable {
        /// The resource's type.
        public let type: ResourceType
        /// The resource's name.
        public let name: String
        /// The Envoy's words.
        public let message: String
    }

    /// The types that the Envoy asks for on the stream: with ADS all, else one.
    public let types: ResourceTypes
    /// The state up to which the Envoy has acknowledged everything of these types, but for what it rejected; nil before there is one.
    public let acknowledged: Position?
    /// What it rejected and has not been sent in another form since, sorted.
    public let rejected: [Rejected]

    /// Makes an account.
    public init(types: ResourceTypes, acknowledged: Position?, rejected: [Rejected]) {
        self.types = types
        self.acknowledged = acknowledged
        self.rejected = rejected
    }
}
