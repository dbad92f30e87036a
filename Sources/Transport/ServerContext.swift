import GRPC
import Logging

/// What all connections of a server share.
final class ServerContext: Sendable {
    let configuration: ServerConfiguration
    let router: any RPCRouter
    let logger: Logger

    init(configuration: ServerConfiguration, router: any RPCRouter, logger: Logger) {
        self.configuration = configuration
        self.router = router
        self.logger = logger
    }
}
