public import ArgumentParser
import Foundation
import Load
public import SimulatedEnvoy

/// Who connects, and how.
struct CrowdArguments: ParsableArguments {
    @Option(help: "The discovery server, an IPv4 address and a port.")
    var server = "127.0.0.1:18000"
    @Option(help: "The authority of the server's certificate, in PEM: connect by TLS.")
    var ca: String?
    @Option(help: "The certificate of all Envoys, in PEM; with --key.")
    var cert: String?
    @Option(help: "The key of that certificate, in PEM.")
    var key: String?
    @Option(help: "Streams: simulated Envoys.")
    var streams = 1000
    @Option(help: "Streams of one connection.")
    var streamsPerConnection = 1
    @Option(help: "delta or sotw.")
    var form = DiscoveryForm.delta
    @Option(help: "The id of each Envoy's node; {index} is its number from 0.")
    var nodeID = "default/envoy-{index}"
    @Option(help: "Bytes of metadata in each node.")
    var nodeBytes = 0
    @Flag(help: "Send the node with each request, not only with the first of a stream.")
    var nodeAlways = false
    @Option(help: "The share of connections, 0 to 1, that read slowly.")
    var slow = 0.0
    @Option(help: "The share of connections that reject every update.")
    var rejecting = 0.0
    @Option(help: "The share of connections that break and come back.")
    var reconnecting = 0.0
    @Option(help: "Mean seconds between the breaks of a reconnecting Envoy.")
    var reconnectInterval = 10.0
    @Option(help: "Streams that are connecting at once.")
    var concurrentRamp = 512

    func validate() throws {
        guard streams > 0, streamsPerConnection > 0, concurrentRamp > 0, nodeBytes >= 0, reconnectInterval > 0 else {
            throw ValidationError("counts and intervals must be positive")
        }
        guard (cert == nil) == (key == nil), cert == nil || ca != nil else {
            throw ValidationError("--cert and --key go together, and with --ca")
        }
        guard slow >= 0, rejecting >= 0, reconnecting >= 0, slow + rejecting + reconnecting <= 1 else {
            throw ValidationError("the shares must lie between 0 and 1, all together as well")
        }
    }

    func options() throws -> CrowdOptions {
        var options = CrowdOptions(
            address: try ServerAddress(server),
            nodeIDs: (0..<streams).map { nodeID.replacing("{index}", with: "\($0)") })
        options.tls = ca.map { TLSFiles(authority: $0, certificate: cert, key: key) }
        options.streamsPerConnection = streamsPerConnection
        options.form = form
        options.nodeByteCount = nodeBytes
        options.sendsNodeOnce = !nodeAlways
        options.shares = [.slow: slow, .rejecting: rejecting, .reconnecting: reconnecting]
        options.reconnectInterval = reconnectInterval
        options.concurrentRamp = concurrentRamp
        return options
    }
}

/// What changes the configuration.
struct TriggerArguments: ParsableArguments {
    @Option(help: "A manifest to rewrite each round.")
    var file: String?
    @Option(help: "A URL to send a request to each round.")
    var url: String?
    @Option(help: "The method of that request.")
    var method = "POST"
    @Option(help: "A header of that request; repeatable.")
    var header: [String] = []
    @Option(help: "A file with the manifest, or the request's body; in it {round}, {high} and {low} follow the round.")
    var template: String?
    @Option(help: "Text in a response by which the change is known, with the same places; without it any response counts.")
    var marker = ""

    func validate() throws {
        if file != nil, url != nil { throw ValidationError("give either --file or --url") }
        if file != nil, template == nil { throw ValidationError("--file needs a --template") }
    }

    /// nil when nothing is to change.
    func trigger() throws -> (any Trigger)? {
        let body = RoundTemplate(try template.map { try String(contentsOfFile: $0, encoding: .utf8) } ?? "")
        if let file { return FileTrigger(path: file, content: body, marker: RoundTemplate(marker)) }
        guard let url else { return nil }
        return try URLTrigger(url: url, method: method, headers: header, body: body, marker: RoundTemplate(marker))
    }
}

extension DiscoveryForm: ExpressibleByArgument {}
