import Glibc
import KubernetesClient
import Manifests
import Resolution
import Translation

/// Readers of files, which are given one.
enum Files {
    static func runManifest(_ bytes: [UInt8]) {
        withFile(bytes) { path in
            let report = ManifestReader().read(paths: [path])
            // What is accepted can be translated.
            var index = EndpointIndex(crossesNamespaces: false)
            for pod in report.pods { index.apply(pod) }
            for service in report.virtualServices { index.apply(service) }
            var compiler = ServiceCompiler(translator: Translator(options: TranslationOptions()))
            for service in index.takeChanges().services { _ = compiler.compile(service) }
        }
    }

    static func runKubeconfig(_ bytes: [UInt8]) {
        withFile(bytes) { path in _ = try? Kubeconfig.configuration(paths: [path]) }
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
