public import Measurement

/// How far a crowd is; a copy.
public struct CrowdState: Sendable {
    /// Streams of the crowd.
    public var streams = 0
    /// Streams that have been answered to all they ask for first.
    public var complete = 0
    /// Steady streams, which rounds and calls count.
    public var steady = 0
    /// Connections that Envoys broke, to come back.
    public var broken = 0
    /// Connections that were lost without our doing.
    public var lost = 0
    /// Why the last of them was.
    public var lastLoss = ""
    /// Responses received since the crowd was made, and their bytes.
    public var responses = 0
    /// Bytes of responses received.
    public var responseBytes = 0
    /// Resources in them.
    public var resources = 0
    /// Responses rejected.
    public var rejected = 0
    /// When the first connection began.
    public var beganAt: Moment?
    /// When all streams were complete for the first time since they last were not.
    public var completeAt: Moment?
    /// Streams that have received what the round waits for, and those that have acknowledged it.
    public var received = 0
    /// Streams that have acknowledged what the round waits for.
    public var acknowledged = 0
    /// Calls that all concerned have acknowledged.
    public var callsDone = 0
}
