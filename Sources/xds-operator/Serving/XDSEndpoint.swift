import Logging
import ServiceLifecycle
import Transport

/// The xDS server as a part of the running program, which says where it listens once it can also be told to stop.
struct XDSEndpoint: Service {
    let server: RPCServer
    let access: AccessOptions
    let logger: Logger

    func run() async throws {
        logger.info("xDS server listening", metadata: ["address": "\(server.boundAddress)", "version": "\(Version.number)"])
        access.warn(logger)
        try await server.run()
    }
}
