import GRPC
import Logging
import Synchronization

/// What all connections of a server share.
final class ServerContext: Sendable {
    let configuration: ServerConfiguration
    let router: any RPCRouter
    let logger: Logger
    /// Bytes of unfinished inbound messages on all connections.
    let bufferedByteCount = Atomic(0)

    init(configuration: ServerConfiguration, router: any RPCRouter, logger: Logger) {
        self.configuration = configuration
        self.router = router
        self.logger = logger
    }
}
