public import Domain
import Glibc
import Kubernetes

/// What files and directories of manifests hold.
public struct ManifestReport: Sendable {
    /// The valid VirtualServices, in order of namespace and name.
    public var virtualServices: [VirtualService]
    /// The valid Pods, in order of namespace and name.
    public var pods: [Pod]
    /// Everything that is wrong or questionable, by file, in the order of the paths given.
    public var diagnostics: [ManifestDiagnostic]

    /// Whether a diagnostic is an error.
    public var hasErrors: Bool { diagnostics.contains { $0.diagnostic.severity == .error } }
}

/// Reads manifests once: YAML and JSON files with `VirtualService` and `Pod` documents, and lists of them.
///
/// A file that is named is read whatever its name; of a directory the files `*.yaml`, `*.yml` and `*.json`, in
/// subdirectories as well, but none that begins with a dot. Documents of other kinds are passed over.
public struct ManifestReader: Sendable {
    private let defaultNamespace: String

    /// Makes a reader; objects that name no namespace belong to `defaultNamespace`.
    public init(defaultNamespace: String = "default") {
        self.defaultNamespace = defaultNamespace
    }

    /// Reads `paths`, files or directories. Blocks for as long as the disk takes; what can't be read is a diagnostic.
    public func read(paths: [String]) -> ManifestReport {
        var report = ManifestReport(virtualServices: [], pods: [], diagnostics: [])
        var virtualServices = ManifestIndex<VirtualService>()
        var pods = ManifestIndex<Pod>()
        for path in files(of: paths, into: &report) {
            let file = ManifestReader.file(path, defaultNamespace: defaultNamespace)
            report.diagnostics += file.diagnostics.map { ManifestDiagnostic(file: path, $0) }
            _ = virtualServices.update(file: path, declarations: file.virtualServices, isComplete: true)
            _ = pods.update(file: path, declarations: file.pods, isComplete: true)
        }
        report.diagnostics += virtualServices.allConflicts().map { $0.diagnostic(kind: .virtualService) }
        report.diagnostics += pods.allConflicts().map { $0.diagnostic(kind: .pod) }
        report.virtualServices = virtualServices.served.values.sorted { $0.key < $1.key }
        report.pods = pods.served.values.sorted { $0.key < $1.key }
        return report
    }

    private static func file(_ path: String, defaultNamespace: String) -> ManifestFile {
        do {
            return ManifestFile(text: try FileContents.read(path).text, defaultNamespace: defaultNamespace)
        } catch {
            switch error {
            case .gone: return ManifestFile(unreadable: "does not exist", defaultNamespace: defaultNamespace)
            case .unreadable(let reason): return ManifestFile(unreadable: reason, defaultNamespace: defaultNamespace)
            }
        }
    }

    /// The files behind `paths`, each once.
    private func files(of paths: [String], into report: inout ManifestReport) -> [String] {
        var seen: Set<String> = []
        return paths.flatMap { path -> [String] in
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return [path] }
            let listing = ManifestListing(directory: path)
            report.diagnostics += listing.problems.map {
                ManifestDiagnostic(file: $0.path, Diagnostic(.error, field: "", message: "can't be listed: \($0.reason)"))
            }
            return listing.files.keys.sorted()
        }.filter { seen.insert($0).inserted }
    }
}
