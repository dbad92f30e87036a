import ArgumentParser

@main
struct XDSBenchmarks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xds-benchmarks", abstract: "Measure the operator.", subcommands: [Command.self, Soak.self],
        defaultSubcommand: Command.self)
}
