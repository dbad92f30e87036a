import ArgumentParser
import Foundation

/// Where the programs are.
struct RigOptions: ParsableArguments {
    @Option(help: "The operator.")
    var operatorPath = ".build/release/xds-operator"
    @Option(help: "The API server simulator.")
    var simulator = ".build/release/kube-api-simulator"
    @Option(help: "The CustomResourceDefinition.")
    var definitions = "helm/xds-operator/crds/virtualservices.servicemesh.l7mp.io.yaml"

    /// A rig with a directory of its own, which the caller removes.
    func makeRig(isShort: Bool = false) throws -> Rig {
        let directory = FileManager.default.temporaryDirectory.appending(path: "xds-benchmarks-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return Rig(
            operatorPath: operatorPath, simulatorPath: simulator, definitionsPath: definitions,
            floorPath: URL(fileURLWithPath: own).deletingLastPathComponent().appending(path: "floor").path,
            directory: directory, isShort: isShort)
    }
}
