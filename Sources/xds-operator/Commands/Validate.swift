import ArgumentParser
import Domain
import Manifests
import Translation
import XDS

/// `xds-operator validate`.
struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check manifests.",
        discussion: "Prints file:line: field: reason for each fault, and exits with 1 when there is one that is no mere warning.")

    @Option(name: [.customShort("f"), .customLong("file")], help: "A file or directory of manifests; repeatable.")
    var files: [String]
    @Flag(help: "Let objects select pods of every namespace.")
    var crossNamespace = false

    func run() throws {
        let report = ManifestReader().read(paths: files)
        for diagnostic in report.diagnostics { print(diagnostic) }
        let preview = Preview(
            virtualServices: report.virtualServices, pods: report.pods, crossesNamespaces: crossNamespace)
        for service in report.virtualServices {
            for conflict in preview.conflicts(of: service.metadata.key) {
                print(
                    "warning: \(conflict.loser.service): listener \(conflict.loser.listener) is withheld: \(conflict.winner.service) "
                        + "is older and has the same \(conflict.claim)")
            }
        }
        if report.hasErrors { throw ExitCode(1) }
        print("\(report.virtualServices.count) VirtualServices and \(report.pods.count) Pods are valid")
    }
}
