import Logging
import ServiceLifecycle
import Transport

/// The xDS server as a part of the running program, which says where it listens once it can also be told to stop.
struct XDSEndpoint: Service {
    let server: RPCServer
    let logger: Logger

    func run() async throws {
        logger.info("xDS server listening", metadata: ["address": "\(server.boundAddress)", "version": "\(Version.number)"])
        logger.warning("the xDS port is open: whoever reaches it can read the configuration of any Envoy")
        try await server.run()
    }
}
