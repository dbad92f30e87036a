import Logging
import ServiceLifecycle

/// An endpoint that the program can do without.
struct OptionalEndpoint: Service {
    let endpoint: HTTPEndpoint
    let logger: Logger

    func run() async throws {
        do {
            try await endpoint.run()
        } catch let error as EndpointError {
            logger.warning("going on without the debug pages", metadata: ["reason": "\(error)"])
            try await gracefulShutdown()
        }
    }
}
