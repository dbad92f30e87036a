public import ArgumentParser
import Domain
import Foundation
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
    @Option(help: "Speak TLS, with ca.crt, tls.crt and tls.key of this directory, as the Envoy sees it; the Envoy follows them.")
    var tlsDirectory: String?
    @Option(help: "The DNS name that the server's certificate must have; by default the host of --xds-address.")
    var tlsServerName: String?
    @Option(help: "Where to write the files that make the Envoy follow its certificates; by default --tls-directory.")
    var sdsDirectory: String?
    @Flag(help: "The Envoy checks the server's certificate and shows none of its own.")
    var serverTlsOnly = false

    func validate() throws {
        if tlsDirectory == nil, tlsServerName != nil || sdsDirectory != nil || serverTlsOnly {
            throw ValidationError("--tls-server-name, --sds-directory and --server-tls-only need --tls-directory")
        }
        for path in [tlsDirectory, sdsDirectory].compactMap(\.self) where !path.hasPrefix("/") {
            throw ValidationError("\(path) must be an absolute path, because the Envoy reads it from wherever it runs")
        }
    }

    func run() throws {
        guard let address = ServerAddress(xdsAddress) else {
            throw ValidationError("--xds-address \(xdsAddress) is not HOST:PORT, such as xds-operator.default.svc:18000")
        }
        let tls = tlsDirectory.map {
            BootstrapTLS(
                certificateDirectory: $0, resourceDirectory: sdsDirectory ?? $0, serverName: tlsServerName,
                showsCertificate: !serverTlsOnly)
        }
        for (path, text) in tls?.resourceFiles ?? [] {
            do {
                try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
            } catch {
                throw ValidationError(
                    "can't write \(path): name a directory for it by --sds-directory (\(error.localizedDescription))")
            }
        }
        print(
            Bootstrap.yaml(
                BootstrapOptions(xdsAddress: address, nodeID: nodeId, api: api, adminPort: adminPort, tls: tls)), terminator: "")
    }
}

extension BootstrapOptions.API: ExpressibleByArgument {}
