import GRPC
import Logging
import RPCTestClient
import ServiceLifecycle
import Transport

/// A server on a free port of the loopback address, with the RPCs of `TestRouter`.
struct TestServer {
    let address: SocketAddress
    let router: TestRouter
    let lines: LogLines
    let group: ServiceGroup

    /// Serves while `body` runs.
    static func with<Result: Sendable>(
        loops: Int = 2, tls files: TLSFiles? = nil, metrics: TLSMetrics = TLSMetrics(),
        _ configure: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        var configuration = ServerConfiguration(bindAddress: try SocketAddress("127.0.0.1:0"))
        configure(&configuration)
        let router = TestRouter()
        let lines = LogLines()
        let logger = Logger(label: "test") { _ in lines }
        let tls = try files.map {
            try TLSCredentials($0, interval: .milliseconds(20), metrics: metrics, logger: logger)
        }
        let server = try RPCServer(
            configuration: configuration, loops: EventLoopGroup(count: loops), router: router, tls: tls, logger: logger)
        let group = ServiceGroup(services: [server], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            defer { tasks.cancelAll() }
            return try await body(
                TestServer(address: server.boundAddress, router: router, lines: lines, group: group))
        }
    }

    func connect(updatesWindows: Bool = true, tls: ClientTLS.Options? = nil) async throws -> TestClient {
        try await TestClient(address, updatesWindows: updatesWindows, tls: tls)
    }
}

/// Log lines as a stream, from info on.
struct LogLines: LogHandler {
    private let continuation: AsyncStream<String>.Continuation
    let stream: AsyncStream<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init() {
        // A test reads one or two lines; more than these would be a fault it need not see in full.
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1000))
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let peer = event.metadata?["peer"] ?? .string(event.metadata?["certificate"] == nil ? "" : "files")
        continuation.yield("\(event.level) \(peer) \(event.metadata?["reason"] ?? "")")
    }
}
