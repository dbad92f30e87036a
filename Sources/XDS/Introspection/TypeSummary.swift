/// How far a client is with one type, in a few words: what `StreamAccount` has in full.
public struct TypeSummary: Sendable, Hashable, Encodable {
    /// Something that the client rejected.
    public struct Rejection: Sendable, Hashable, Encodable {
        /// The resource's name.
        public let name: String
        /// The client's words.
        public let message: String
    }

    /// `cluster`, `endpoint` or `listener`.
    public let type: String
    /// Whether the client wants everything of the type.
    public let isWildcard: Bool
    /// Names that are kept because the client asked for them one by one.
    public let names: Int
    /// Responses that it has not answered.
    public let unanswered: Int
    /// What it was sent: a revision of its group, or in state of the world a version; nil before anything was.
    public let sent: String?
    /// What it acknowledged, in the same terms.
    public let acknowledged: String?
    /// What it rejected and was not sent in another form since.
    public let rejected: [Rejection]
}

extension TypeAccount {
    /// The account in a few words.
    public var summary: TypeSummary {
        let (unanswered, sent, acknowledged, rejections): (Int, String?, String?, [String: String])
        switch progress {
        case .steps(let state, let updates, _):
            unanswered = state.inFlight.count
            sent = updates.map { "\($0.revision)" }
            // Whoever has answered everything has acknowledged what it was sent, or rejected it.
            acknowledged = state.inFlight.isEmpty ? sent : state.acknowledged.updates.map { "\($0.revision)" }
            rejections = state.rejected.mapValues(\.message)
        case .whole(let state):
            unanswered = state.inFlightCount
            sent = state.held.map { "\($0.version)" }
            acknowledged = state.acknowledged.map { "\($0.version)" }
            rejections = state.rejections
        }
        return TypeSummary(
            type: "\(type)", isWildcard: isWildcard, names: names.count, unanswered: unanswered, sent: sent,
            acknowledged: acknowledged,
            rejected: rejections.sorted { $0.key < $1.key }.map { TypeSummary.Rejection(name: $0.key, message: $0.value) })
    }
}
