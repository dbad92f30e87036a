public import Domain

/// Something about a VirtualService that its author should hear of.
public struct ServiceEvent: Hashable, Sendable {
    /// The object.
    public var key: ObjectKey
    /// Its incarnation.
    public var uid: String
    /// Why, as in the condition of the same reason.
    public var reason: Condition.Reason
    /// What happened, for people.
    public var note: String

    /// Makes an event.
    public init(key: ObjectKey, uid: String, reason: Condition.Reason, note: String) {
        self.key = key
        self.uid = uid
        self.reason = reason
        // The API server takes 1 KiB.
        self.note = note.prefix(bytes: 1024)
    }

    /// What the operator was about when it happened.
    var action: String {
        switch reason {
        case .invalid: "Validate"
        case .conflict: "Translate"
        default: "Program"
        }
    }
}
