public import Measurement

/// What a run measured.
public struct LoadReport: Codable, Sendable {
    /// Streams of the crowd.
    public var streams = 0
    /// `delta` or `sotw`.
    public var form = ""
    /// Seconds from the first connection to all streams being complete, and the server's CPU seconds meanwhile.
    public var rampSeconds = 0.0
    /// The server's CPU seconds while everyone connected.
    public var rampServerCPUSeconds = 0.0
    /// Resident memory of the server before anyone connected.
    public var serverResidentBytesBefore = 0
    /// Resident memory of the server at the end.
    public var serverResidentBytes = 0
    /// What connecting added to it, by stream.
    public var residentBytesPerStream = 0
    /// Open descriptors of the server at the end.
    public var serverDescriptors = 0
    /// Changes made.
    public var rounds = 0
    /// Responses that came during the rounds, and their bytes.
    public var responses = 0
    /// Bytes of responses that came during the rounds.
    public var responseBytes = 0
    /// The server's CPU seconds during the rounds.
    public var serverCPUSeconds = 0.0
    /// The server's CPU time in microseconds, by response.
    public var serverCPUMicrosecondsPerPush = 0.0
    /// The CPU seconds of this process during the rounds.
    public var loadCPUSeconds = 0.0
    /// Milliseconds from each change to its receipt, over all streams and rounds.
    public var receivedMilliseconds = Distribution([])
    /// Milliseconds from each change to its acknowledgement, over all streams and rounds.
    public var acknowledgedMilliseconds = Distribution([])
    /// Milliseconds from each change to the last receipt, by round.
    public var lastReceived: [Double] = []
    /// Milliseconds from each change to the last acknowledgement, by round.
    public var lastAcknowledged: [Double] = []
    /// How the server's counters changed during the rounds, where that is known.
    public var serverCounters: [String: Double] = [:]
    /// Connections lost without our doing.
    public var lostConnections = 0
    /// Why the last of them was.
    public var lastLoss = ""
    /// Responses rejected.
    public var rejections = 0

    /// Makes an empty report.
    public init() {}
}
