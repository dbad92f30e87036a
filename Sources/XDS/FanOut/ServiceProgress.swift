/// How far the connected Envoys are with one object.
public struct ServiceProgress: Sendable, Hashable {
    /// Envoys of the object's pods that are connected here.
    public var connected = 0
    /// Of these, the ones that have acknowledged the object's latest form, or that it is gone.
    public var programmed = 0
    /// Of the connected, those that reject something of the object.
    public var rejected = 0
    /// An Envoy's words, while one rejects something of the object.
    public var rejection: String?

    /// Makes the account of an object that nobody has.
    public init(connected: Int = 0, programmed: Int = 0, rejected: Int = 0, rejection: String? = nil) {
        self.connected = connected
        self.programmed = programmed
        self.rejected = rejected
        self.rejection = rejection
    }

    /// The sum over Envoys that are served apart.
    public static func + (left: ServiceProgress, right: ServiceProgress) -> ServiceProgress {
        ServiceProgress(
            connected: left.connected + right.connected, programmed: left.programmed + right.programmed,
            rejected: left.rejected + right.rejected, rejection: left.rejection ?? right.rejection)
    }
}
