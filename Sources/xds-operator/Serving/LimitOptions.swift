import ArgumentParser
import ControlPlane
import HTTP2
import Transport

/// Options of what the clients of the xDS port may cost. What each answers is told in docs/security.md.
struct LimitOptions: ParsableArguments {
    @Option(help: "Connections at once; more are closed as they arrive.")
    var xdsMaxConnections = 20_000
    @Option(help: "Connections at once from one IP address; 0 for no limit of its own.")
    var xdsMaxConnectionsPerAddress = 12_000
    @Option(help: "Streams at once on one connection.")
    var xdsMaxStreams = SessionSettings().maximumConcurrentStreams
    @Option(help: "Bytes of one request. Envoys that come back name all that they have.")
    var xdsMaxMessageSize = 32 << 20
    @Option(help: "Bytes of unfinished requests on all connections.")
    var xdsMaxUnfinishedSize = 512 << 20
    @Option(help: "Resources named in one request.")
    var xdsMaxNames = 200_000
    @Option(help: "Bytes of the names that a stream keeps, 64 for each name included.")
    var xdsMaxStreamNameSize = 64 << 20
    @Option(help: "Bytes of the names that all streams keep, 64 for each name included.")
    var xdsMaxNameSize = 2 << 30
    @Option(help: "Requests that a connection may send each second; ten times as many at once.")
    var xdsMaxRequestRate = 1000
    @Option(help: "Streams that a connection may open each second; ten times as many at once.")
    var xdsMaxStreamRate = 100
    @Option(help: "Streams that a connection may reset, or make the server reset, each second; thirty times as many at once.")
    var xdsMaxResetRate = 33
    @Option(help: "Frames without content that a connection may send each second; ten times as many at once.")
    var xdsMaxControlFrameRate = 1000
    @Option(help: "Percent of each event loop's time that TLS handshakes may take.")
    var xdsMaxHandshakeShare = 75
    @Option(help: "Seconds from a connection's begin to the end of its TLS handshake and HTTP/2 preface.")
    var xdsPrefaceTimeout = 10
    @Option(help: "Seconds from the first to the last byte of a request's header.")
    var xdsHeaderTimeout = 10
    @Option(help: "Seconds from a stream's begin to its first request.")
    var xdsRequestTimeout = 30
    @Option(help: "Seconds in which a request that has begun must be complete.")
    var xdsMessageTimeout = 60
    @Option(help: "Seconds without a stream after which a connection is closed.")
    var xdsIdleTimeout = 300
    @Option(help: "Seconds in which a client must take some of what waits for it.")
    var xdsStallTimeout = 60
    @Option(help: "Seconds of silence after which a client is asked for a sign of life.")
    var xdsKeepaliveInterval = 30
    @Option(help: "Seconds that it may take to give one.")
    var xdsKeepaliveTimeout = 120

    /// The names of all of them, for the environment.
    static let names = [
        "xds-max-connections", "xds-max-connections-per-address", "xds-max-streams", "xds-max-message-size",
        "xds-max-unfinished-size", "xds-max-names", "xds-max-stream-name-size", "xds-max-name-size", "xds-max-request-rate",
        "xds-max-stream-rate", "xds-max-reset-rate", "xds-max-control-frame-rate", "xds-max-handshake-share",
        "xds-preface-timeout", "xds-header-timeout", "xds-request-timeout", "xds-message-timeout", "xds-idle-timeout",
        "xds-stall-timeout", "xds-keepalive-interval",
        "xds-keepalive-timeout",
    ]

    func validate() throws {
        let counts: [(String, Int, ClosedRange<Int>)] = [
            ("connections", xdsMaxConnections, 1...10_000_000),
            ("connections-per-address", xdsMaxConnectionsPerAddress, 0...10_000_000),
            ("streams", xdsMaxStreams, 1...100_000),
            ("message-size", xdsMaxMessageSize, 64 << 10...1 << 30),
            ("unfinished-size", xdsMaxUnfinishedSize, 1 << 20...1 << 40),
            ("names", xdsMaxNames, 1...10_000_000),
            ("stream-name-size", xdsMaxStreamNameSize, 64 << 10...1 << 40),
            ("name-size", xdsMaxNameSize, 64 << 10...1 << 40),
            ("request-rate", xdsMaxRequestRate, 1...1_000_000),
            ("stream-rate", xdsMaxStreamRate, 1...1_000_000),
            ("reset-rate", xdsMaxResetRate, 1...1_000_000),
            ("control-frame-rate", xdsMaxControlFrameRate, 1...1_000_000),
            ("handshake-share", xdsMaxHandshakeShare, 1...100),
        ]
        for (name, value, range) in counts where !range.contains(value) {
            throw ValidationError("--xds-max-\(name) must be from \(range.lowerBound) to \(range.upperBound)")
        }
        let times: [(String, Int)] = [
            ("preface-timeout", xdsPrefaceTimeout), ("header-timeout", xdsHeaderTimeout), ("request-timeout", xdsRequestTimeout),
            ("message-timeout", xdsMessageTimeout), ("idle-timeout", xdsIdleTimeout), ("stall-timeout", xdsStallTimeout),
            ("keepalive-interval", xdsKeepaliveInterval), ("keepalive-timeout", xdsKeepaliveTimeout),
        ]
        for (name, value) in times where !(1...86_400).contains(value) {
            throw ValidationError("--xds-\(name) must be from 1 to 86400 seconds")
        }
    }

    /// What streams of discovery may cost.
    var streams: StreamLimits {
        StreamLimits(
            namesPerRequest: xdsMaxNames, nameBytesPerStream: xdsMaxStreamNameSize, nameBytes: xdsMaxNameSize,
            requestTimeout: .seconds(xdsRequestTimeout))
    }

    /// Puts the limits of connections into force.
    func apply(to configuration: inout ServerConfiguration) {
        configuration.maximumConnections = xdsMaxConnections
        configuration.maximumConnectionsPerAddress = xdsMaxConnectionsPerAddress == 0 ? nil : xdsMaxConnectionsPerAddress
        configuration.maximumMessageSize = xdsMaxMessageSize
        configuration.maximumBufferedByteCount = 2 * xdsMaxMessageSize
        configuration.maximumTotalBufferedByteCount = xdsMaxUnfinishedSize
        (configuration.messageBurst, configuration.messagesPerSecond) = (10 * xdsMaxRequestRate, xdsMaxRequestRate)
        configuration.handshakeShare = Double(xdsMaxHandshakeShare) / 100
        configuration.prefaceTimeout = .seconds(xdsPrefaceTimeout)
        configuration.headersTimeout = .seconds(xdsHeaderTimeout)
        configuration.messageTimeout = .seconds(xdsMessageTimeout)
        configuration.idleTimeout = .seconds(xdsIdleTimeout)
        configuration.stallTimeout = .seconds(xdsStallTimeout)
        configuration.keepaliveInterval = .seconds(xdsKeepaliveInterval)
        configuration.keepaliveTimeout = .seconds(xdsKeepaliveTimeout)
        configuration.session.maximumConcurrentStreams = xdsMaxStreams
        // An Envoy without ADS opens a stream for each of its clusters at once.
        configuration.session.requestBurst = max(10 * xdsMaxStreamRate, xdsMaxStreams)
        configuration.session.requestsPerSecond = xdsMaxStreamRate
        (configuration.session.resetBurst, configuration.session.resetsPerSecond) = (30 * xdsMaxResetRate, xdsMaxResetRate)
        configuration.session.controlFrameBurst = 10 * xdsMaxControlFrameRate
        configuration.session.controlFramesPerSecond = xdsMaxControlFrameRate
    }
}
