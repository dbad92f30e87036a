import ArgumentParser

@main
struct XDSOperator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xds-operator", abstract: "Configures Envoys for UDP and TCP from VirtualService objects.")
}
