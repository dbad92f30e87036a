import ArgumentParser
import Foundation

/// The program: each subcommand is a file in `Commands`.
@main
struct XDSOperator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xds-operator",
        abstract: "Configures Envoys for UDP and TCP from VirtualService objects.",
        discussion: "Each option can also come from the environment: --xds-bind-address from XDS_OPERATOR_XDS_BIND_ADDRESS.",
        subcommands: [Serve.self, Validate.self, Translate.self, PrintBootstrap.self, Certificates.self, Version.self])

    static func main() async {
        Allocator.configure()
        let arguments = EnvironmentOptions.arguments(
            CommandLine.arguments.dropFirst(), environment: ProcessInfo.processInfo.environment)
        await main(arguments)
    }
}
