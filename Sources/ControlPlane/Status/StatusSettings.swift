/// Limits of what is written to VirtualServices.
public struct StatusSettings: Sendable {
    /// Writes a second, over time. Fifty calls that begin and fifty that end each second take three writes each at most.
    public var rate = 300.0
    /// Writes at once.
    public var burst = 300
    /// Writes in flight.
    public var concurrency = 8
    /// Between two looks at what is reported.
    public var reportPause = Duration.milliseconds(20)
    /// How long a passing state must last before it is written: Envoys that have yet to answer, counts that change.
    public var settleTime = Duration.seconds(1)
    /// How long Envoys that have vanished have to appear at another replica before it is written that they are gone.
    public var handover = Duration.seconds(30)
    /// How long an object that is being deleted waits for Envoys to acknowledge before its finalizer goes.
    public var finalizerTimeout = Duration.seconds(10)
    /// How long the watch has to show what was written before it is written again; doubling each time.
    public var echoTime = Duration.seconds(10)
    /// How long no status is written after the installed schema has refused it; a newer one may be installed meanwhile.
    public var schemaRetryTime = Duration.seconds(600)

    /// The defaults.
    public init() {}
}
