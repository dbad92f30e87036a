public import ArgumentParser
import Domain
public import Rendering

/// `xds-operator bootstrap`.
struct PrintBootstrap: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootstrap", abstract: "Print an Envoy bootstrap that works as printed.")

    @Option(help: "Where the Envoy reaches this server, HOST:PORT.")
    var xdsAddress: String
    @Option(help: "The Envoy's pod's uid, or namespace/name; without it, start Envoy with --service-node.")
    var nodeId: String?
    @Option(help: "delta, or sotw for state of the world.")
    var api = BootstrapOptions.API.delta
    @Option(help: "Open Envoy's administration interface on this port of 127.0.0.1; 0 picks a free one.")
    var adminPort: UInt16?

    func run() throws {
        guard let address = ServerAddress(xdsAddress) else {
            throw ValidationError("--xds-address \(xdsAddress) is not HOST:PORT, such as xds-operator.default.svc:18000")
        }
        print(
            Bootstrap.yaml(BootstrapOptions(xdsAddress: address, nodeID: nodeId, api: api, adminPort: adminPort)), terminator: "")
    }
}

extension BootstrapOptions.API: ExpressibleByArgument {}
