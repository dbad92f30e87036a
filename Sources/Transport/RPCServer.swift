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
    private let sets: [ConnectionSet]
    private let listener: Listener

    /// Binds the port.
    ///
    /// - Throws: `SystemError` when the address cannot be bound.
    public init(
        configuration: ServerConfiguration, loops: EventLoopGroup, router: any RPCRouter, logger: Logger
    ) throws {
        context = ServerContext(configuration: configuration, router: router, logger: logger)
        let socket = try ListeningSocket(binding: configuration.bindAddress)
        boundAddress = socket.address
        sets = loops.loops.map { [context] in ConnectionSet(context, loop: $0) }
        listener = Listener(context, socket: socket, sets: sets, loop: loops.loops[0])
    }

    /// Serves until a graceful shutdown, and then lets the streams end within the grace period; or until it is cancelled, and
    /// then ends them at once. All connections are closed when it returns.
    public func run() async throws {
        try await listener.start()
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled: `drain` finds that out, too.
        }
        await listener.stop()
        await withDiscardingTaskGroup { group in
            for set in sets {
                group.addTask { [gracePeriod = context.configuration.gracePeriod] in
                    await set.drain(within: gracePeriod)
                }
            }
        }
    }
}
