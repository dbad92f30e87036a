import ArgumentParser

@main
struct Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "xds-benchmarks", abstract: "Measure the operator.")
}
