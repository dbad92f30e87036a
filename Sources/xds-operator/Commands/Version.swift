import ArgumentParser

/// `xds-operator version`.
struct Version: ParsableCommand {
    /// The release.
    static let number = "0.1.0"

    static let configuration = CommandConfiguration(abstract: "Print the version.")

    func run() { print("xds-operator \(Version.number)") }
}
