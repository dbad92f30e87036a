/// What of a client's rejections was told already: a resource that is tried again, and a search for a culprit, repeat themselves.
public struct RejectionMemory: Sendable {
    private struct Complaint: Hashable {
        let type: ResourceType
        let name: String
        let message: String
    }

    /// Beyond so many it starts anew.
    private static let limit = 1024

    /// The hashes of what was told, which are small.
    private var told: Set<Int> = []

    /// Makes an empty memory.
    public init() {}

    /// What of a rejection is new, once for each resource and the client's words about it; nil for nothing.
    public mutating func news(in rejection: Rejection) -> Rejection? {
        if rejection.culprits.isEmpty { return isNew(rejection, "") ? rejection : nil }
        let culprits = rejection.culprits.filter { isNew(rejection, $0) }
        return culprits.isEmpty ? nil : Rejection(type: rejection.type, culprits: culprits, message: rejection.message)
    }

    private mutating func isNew(_ rejection: Rejection, _ name: String) -> Bool {
        if told.count >= Self.limit { told = [] }
        return told.insert(Complaint(type: rejection.type, name: name, message: rejection.message).hashValue).inserted
    }
}
