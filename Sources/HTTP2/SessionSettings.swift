/// What a server session announces to its peer and where it draws the line.
public struct SessionSettings: Sendable {
    /// Streams a peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). An Envoy without ADS opens one for each EDS cluster, up to the
    /// 1,024 requests of its circuit breakers, before it has read this: those beyond it are refused and come back seconds later.
    public var maximumConcurrentStreams: Int = 2048
    /// Bytes of one request's header list, counted as RFC 9113 section 6.5.2 says: name + value + 32 for each field.
    public var maximumHeaderListSize: Int = 16 * 1024
    /// Bytes a peer may send on one stream before it needs an update (SETTINGS_INITIAL_WINDOW_SIZE).
    public var streamWindow: Int = 256 * 1024
    /// Bytes a peer may send on the connection before it needs an update.
    public var connectionWindow: Int = 1024 * 1024
    /// Output bytes held for the socket before no further frame is made.
    public var outputHighWaterMark: Int = 64 * 1024
    /// Streams reset by the peer or because of its errors: so many at once …
    public var resetBurst: Int = 1000
    /// … and so many each second after that (CVE-2023-44487, CVE-2025-8671).
    public var resetsPerSecond: Int = 33
    /// Header sections, those of requests and those that belong to no open stream: so many at once …
    public var requestBurst: Int = 1000
    /// … and so many each second after that. An Envoy opens a few streams in its connection's life.
    public var requestsPerSecond: Int = 100
    /// What header lists have beyond `maximumHeaderListSize`, in multiples of it: so many at once …
    public var headerExcessBurst: Int = 16
    /// … and so many each second after that (CVE-2016-6581). No gRPC client sends what it was told not to.
    public var headerExcessPerSecond: Int = 1
    /// Frames that carry no message (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, CONTINUATION, DATA below `smallestDataFrame`): so many at once …
    public var controlFrameBurst: Int = 10_000
    /// … and so many each second after that (CVE-2019-9511 to 9518). Real clients send a few for each message.
    public var controlFramesPerSecond: Int = 1000
    /// Bytes of a DATA frame under which it counts as one that carries no message.
    public var smallestDataFrame: Int = 16
    /// Frames waiting for the socket, acknowledgements included; a peer that does not read and still asks for more exceeds it.
    public var maximumQueuedFrames: Int = 2000

    /// Makes the default settings.
    public init() {}
}
