public import GRPC
public import Logging
public import ServiceLifecycle

/// Serves RPCs over HTTP/2: a listener, and connections spread over the loops of a group.
///
/// The port is bound when the server is made, so that its address is known at once; clients are served while `run()` runs.
public final class RPCServer: Service {
    /// The address with the port the system chose.
    public let boundAddress: SocketAddress

    private let context: ServerContext
    private let tls: TLSCredentials?
    private let sets: [ConnectionSet]
    private let listener: Listener

    /// Binds the port.
    ///
    /// - Parameter tls: the server's certificate, for TLS on the port; nil for plaintext.
    /// - Throws: `SystemError` when the address cannot be bound.
    public init(
        configuration: ServerConfiguration, loops: EventLoopGroup, router: any RPCRouter, tls: TLSCredentials? = nil,
        logger: Logger
    ) throws {
        self.tls = tls
        context = ServerContext(configuration: configuration, router: router, logger: logger)
        let socket = try ListeningSocket(binding: configuration.bindAddress)
        boundAddress = socket.address
        sets = loops.loops.map { [context] in ConnectionSet(context, tls: tls?.initial, loop: $0) }
        listener = Listener(context, socket: socket, sets: sets, loop: loops.loops[0])
    }

    /// Serves until a graceful shutdown, and then lets the streams end within the grace period; or until it is cancelled, and
    /// then ends them at once. All connections are closed when it returns.
    public func run() async throws {
        try await listener.start()
        await withDiscardingTaskGroup { group in
            if let tls {
                group.addTask { [sets] in
                    await tls.run { context in for set in sets { await set.use(context) } }
                }
            }
            // A cancelled wait throws; `drain` finds that out, too.
            try? await gracefulShutdown()
            await listener.stop()
            await drain()
            group.cancelAll()
        }
    }

    private func drain() async {
        await withDiscardingTaskGroup { group in
            for set in sets {
                group.addTask { [gracePeriod = context.configuration.gracePeriod] in
                    await set.drain(within: gracePeriod)
                }
            }
        }
    }
}
