public import ArgumentParser
import Domain
import Manifests
import Observability
import Rendering
public import Translation
import XDS

/// `xds-operator translate`.
struct Translate: ParsableCommand {
    /// The kinds of resource to print, by the names that users know.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case listeners
        case clusters
        case endpoints

        var type: ResourceType {
            switch self {
            case .listeners: .listener
            case .clusters: .cluster
            case .endpoints: .endpoint
            }
        }
    }

    /// How resources are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case yaml
        case json
    }

    static let configuration = CommandConfiguration(abstract: "Print what an Envoy would get of manifests.")

    @Option(name: [.customShort("f"), .customLong("file")], help: "A file or directory of manifests; repeatable.")
    var files: [String]
    @Option(help: "The Envoy: its pod's uid, or namespace/name.")
    var node: String
    @Option(name: .customLong("type"), help: "Only resources of this kind.")
    var kind: Kind?
    @Option(name: .shortAndLong, help: "How to print.")
    var output = Format.yaml
    @Flag(help: "Let objects select pods of every namespace.")
    var crossNamespace = false
    @Option(help: "The size of Maglev tables, a prime.")
    var maglevTableSize = MaglevTableSize.standard

    func run() throws {
        let report = ManifestReader().read(paths: files)
        for diagnostic in report.diagnostics { StandardError.print("\(diagnostic)") }
        let translator = Translator(options: TranslationOptions(maglevTableSize: maglevTableSize))
        let preview = Preview(
            virtualServices: report.virtualServices, pods: report.pods, crossesNamespaces: crossNamespace, translator: translator)
        let kinds = kind.map { [$0] } ?? Kind.allCases
        let resources = kinds.map { preview.resources($0.type, nodeID: node) }
        guard resources.allSatisfy({ $0 != nil }) else {
            StandardError.print("no pod of the manifests has the uid or the namespace/name \(node)")
            throw ExitCode(1)
        }
        let all = resources.flatMap { $0 ?? [] }
        print(output == .yaml ? try ResourceRendering.yaml(all) : try ResourceRendering.json(all), terminator: "")
        if report.hasErrors { throw ExitCode(1) }
    }
}

extension MaglevTableSize: ExpressibleByArgument {
    public init?(argument: String) {
        guard let number = UInt64(argument) else { return nil }
        self.init(number)
    }

    public var defaultValueDescription: String { "\(value)" }
}
