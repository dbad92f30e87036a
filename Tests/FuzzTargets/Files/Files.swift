import Domain
import Glibc
import Kubernetes
import KubernetesClient
import Manifests
import Rendering
import Resolution
import Translation
import XDS

/// Readers of files, which are given one.
enum Files {
    /// The rules: what is accepted can be translated; the same file gives the same; and a diagnostic is one line that names a line of the file.
    static func runManifest(_ bytes: [UInt8]) {
        withFile(bytes) { path in
            let report = ManifestReader().read(paths: [path])
            let again = ManifestReader().read(paths: [path])
            expect(
                report.virtualServices == again.virtualServices && report.pods == again.pods, "a file says something else again")
            let lineCount = bytes.count(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) + 1
            for diagnostic in report.diagnostics {
                expect(!diagnostic.description.contains(where: \.isNewline), "a diagnostic has several lines")
                expect(diagnostic.diagnostic.line.map { (1...lineCount + 1).contains($0) } ?? true, "a diagnostic is of no line")
            }
            expect(report.diagnostics == again.diagnostics, "a file is refused in other words")
            translate(report)
        }
    }

    private static func translate(_ report: ManifestReport) {
        var index = EndpointIndex(crossesNamespaces: false)
        for pod in report.pods { index.apply(pod) }
        for service in report.virtualServices { index.apply(service) }
        var compiler = ServiceCompiler(translator: Translator(options: TranslationOptions()))
        let services = index.takeChanges().services
        expect(services.count == report.virtualServices.count, "an object is not resolved")
        for unit in services.flatMap({ compiler.compile($0).units }) {
            for resource in [unit.listener, unit.cluster] + [unit.assignment].compactMap(\.self) {
                expect((try? ResourceRendering.yaml(resource)) != nil, "a resource can't be read")
            }
        }
    }

    /// The rules: the same file gives the same, or is refused again.
    static func runKubeconfig(_ bytes: [UInt8]) {
        withFile(bytes) { path in
            let outcomes = (0..<2).map { _ in
                Result { () throws(ClusterConfigurationError) in try Kubeconfig.configuration(paths: [path]) }
            }
            switch (outcomes[0], outcomes[1]) {
            case (.success(let one), .success(let other)): expect(one.server == other.server, "a file says something else again")
            // In what words is not said: Yams lists keys that stand there twice in any order.
            case (.failure, .failure): break
            default: expect(false, "a file is refused the second time")
            }
        }
    }

    private static func withFile(_ bytes: [UInt8], _ body: (String) -> Void) {
        var path = Array("/dev/shm/fuzz-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        expect(descriptor >= 0, "no file in memory can be had")
        defer {
            close(descriptor)
            unlink(path)
        }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            expect(count > 0, "a file in memory can't be written")
            written += count
        }
        body(String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
