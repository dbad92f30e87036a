import FlyingFox
import FlyingSocks
import Glibc
import Logging
import ServiceLifecycle

/// A small HTTP server on an address of its own: probes, or metrics.
struct HTTPEndpoint: Service {
    /// What is served, for the log: `probes` or `metrics`.
    let name: String
    /// `HOST:PORT` with an IP address, IPv6 in brackets; port 0 picks a free one.
    let address: String
    /// The answer to each method and path, such as `GET /metrics`; others are not found.
    let routes: [String: @Sendable (Question) async -> HTTPEndpoint.Answer]
    let logger: Logger

    private static let phrases = [200: "OK", 400: "Bad Request", 404: "Not Found", 503: "Service Unavailable"]

    /// What is asked.
    struct Question: Sendable {
        /// The `Accept` header.
        let accept: String?
        /// What stands after the question mark; of a name that stands there twice, the first.
        let parameters: [String: String]
    }

    /// What is answered.
    struct Answer: Sendable {
        var status: Int
        var contentType = "text/plain; charset=utf-8"
        var body: String
    }

    func run() async throws {
        let server = try HTTPServer(config: configuration())
        for (route, answer) in routes {
            await server.appendRoute(HTTPRoute(route)) { request in
                let answer = await answer(
                    Question(
                        accept: request.headers[HTTPHeader("Accept")],
                        parameters: Dictionary(request.query.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
                    ))
                let status = HTTPStatusCode(answer.status, phrase: Self.phrases[answer.status] ?? "")
                return HTTPResponse(
                    statusCode: status, headers: [.contentType: answer.contentType], body: .init(answer.body.utf8))
            }
        }
        try await withThrowingTaskGroup { group in
            group.addTask {
                do {
                    try await server.run()
                } catch is CancellationError {
                } catch SocketError.disconnected {
                    // How a stopped server ends.
                } catch {
                    throw EndpointError(name: name, address: address, reason: "\(error)")
                }
            }
            group.addTask {
                try await server.waitUntilListening()
                let bound = await listening(server)
                logger.info("\(name) listening", metadata: ["address": "\(bound)"])
                try await gracefulShutdown()
                await server.stop()
            }
            // Whichever ends first ends the other: a port that is taken is told at once.
            try await group.next()
            group.cancelAll()
        }
    }

    private func configuration() throws -> HTTPServer.Configuration {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            throw AddressError(option: name, address: address)
        }
        let host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            return HTTPServer.Configuration(
                address: try sockaddr_in6.inet6(ip6: String(host.dropFirst().dropLast()), port: port), timeout: 10,
                logger: .disabled)
        }
        return HTTPServer.Configuration(address: try sockaddr_in.inet(ip4: host, port: port), timeout: 10, logger: .disabled)
    }

    private func listening(_ server: HTTPServer) async -> String {
        switch await server.listeningAddress {
        case .ip4(let host, let port): "\(host):\(port)"
        case .ip6(let host, let port): "[\(host)]:\(port)"
        default: address
        }
    }
}

/// A server that can't serve.
struct EndpointError: Error, CustomStringConvertible {
    let name: String
    let address: String
    let reason: String

    var description: String { "can't serve \(name) on \(address): \(reason); is another program listening there?" }
}

/// An address to bind that can't be one.
struct AddressError: Error, CustomStringConvertible {
    let option: String
    let address: String

    var description: String {
        "\(address) is no address for \(option): write HOST:PORT with an IP address, as 0.0.0.0:8080 or [::]:8080"
    }
}
