public import HTTP2

/// How an RPC server treats its connections.
public struct ServerConfiguration: Sendable {
    /// The address to bind; port 0 picks a free one.
    public var bindAddress: SocketAddress
    /// Limits of one HTTP/2 session.
    public var session = SessionSettings()
    /// Bytes of one inbound message. Large reconnects of Envoy exceed gRPC's usual 4 MiB.
    public var maximumMessageSize = 32 * 1024 * 1024
    /// Bytes of unfinished inbound messages on all streams of one connection.
    public var maximumBufferedByteCount = 64 * 1024 * 1024
    /// Bytes of unfinished inbound messages on all connections; each connection may have `smallBufferedByteCount` beyond it, so that
    /// those who fill it don't shut out clients with ordinary messages.
    public var maximumTotalBufferedByteCount = 512 * 1024 * 1024
    /// Bytes of unfinished messages that a connection may always have: more than Envoy's first request without resources to name.
    public var smallBufferedByteCount = 128 * 1024
    /// Messages of one connection: so many at once …
    public var messageBurst = 10_000
    /// … and so many each second after that.
    public var messagesPerSecond = 1000
    /// Connections at once; more are closed as they arrive.
    public var maximumConnections = 20_000
    /// Connections at once from one IP address; nil for no limit of its own.
    public var maximumConnectionsPerAddress: Int?
    /// The part of each loop's time that TLS handshakes may take, above 0 and up to 1.
    public var handshakeShare = 0.75
    /// From the accept to the end of the client's preface: its first SETTINGS, and a TLS handshake before.
    public var prefaceTimeout = Duration.seconds(10)
    /// From the first to the last byte of a header section.
    public var headersTimeout = Duration.seconds(10)
    /// A connection that has had an unfinished message for so long is closed.
    public var messageTimeout = Duration.seconds(60)
    /// A connection without a stream is closed after this time.
    public var idleTimeout = Duration.seconds(300)
    /// Silence of the peer after which it is asked for a sign of life.
    public var keepaliveInterval = Duration.seconds(30)
    /// How long it may take to give one, and to acknowledge the server's SETTINGS: an Envoy that takes in tens of thousands of clusters is silent for most of a minute.
    public var keepaliveTimeout = Duration.seconds(120)
    /// A connection whose peer takes (next to) none of the messages waiting for it is closed after this time, and so is a stream that has
    /// ended but for what its client does not read.
    public var stallTimeout = Duration.seconds(60)
    /// A connection is shut down at this age, give or take a tenth, so that it is made anew: with the certificates of that time,
    /// and perhaps with another replica. Nil for no limit.
    public var maximumConnectionAge: Duration?
    /// How long a shutdown, of the server or of one connection, waits for streams to end.
    public var gracePeriod = Duration.seconds(10)

    /// Makes a configuration with the default limits.
    public init(bindAddress: SocketAddress) {
        self.bindAddress = bindAddress
    }
}
