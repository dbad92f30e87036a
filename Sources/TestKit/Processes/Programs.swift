import Foundation

/// Where the programs of the tests and the demo are.
public enum Programs {
    /// The program could not be found.
    public struct NotFound: Error, CustomStringConvertible {
        /// What is missing, where it was looked for and what to do.
        public var description: String
    }

    /// The built `xds-operator`: the value of `XDS_OPERATOR_BINARY`, or beside the running program.
    public static func xdsOperator() throws -> String {
        if let path = ProcessInfo.processInfo.environment["XDS_OPERATOR_BINARY"] {
            return try existing([path], "XDS_OPERATOR_BINARY names no program")
        }
        return try existing(
            ["\(ownDirectory)/xds-operator"], "xds-operator is not built; run `swift build` or set XDS_OPERATOR_BINARY")
    }

    /// A program of this package that is built beside `xds-operator`.
    public static func built(_ name: String) throws -> String {
        let directory = (try xdsOperator() as NSString).deletingLastPathComponent
        return try existing(["\(directory)/\(name)"], "\(name) is not built; run `swift build`")
    }

    /// Envoy: the value of `ENVOY_BINARY`, or `.venv/bin/envoy` in a directory above the running program or the current one.
    public static func envoy() throws -> String {
        if let path = ProcessInfo.processInfo.environment["ENVOY_BINARY"] {
            return try existing([path], "ENVOY_BINARY names no program")
        }
        return try inEnvironment("envoy", "Envoy is not installed; run scripts/setup or set ENVOY_BINARY")
    }

    /// The Python that has the packages of `scripts/requirements.txt`: the value of `XDS_OPERATOR_PYTHON`, or that of `.venv`.
    public static func python() throws -> String {
        if let path = ProcessInfo.processInfo.environment["XDS_OPERATOR_PYTHON"] {
            return try existing([path], "XDS_OPERATOR_PYTHON names no program")
        }
        return try inEnvironment("python", "there is no Python environment; run scripts/setup")
    }

    /// The library that moves clocks: the value of `FAKETIME_LIBRARY`, or where `scripts/faketime-from-apt` puts it.
    public static func clockLibrary() throws -> String {
        let named = ProcessInfo.processInfo.environment["FAKETIME_LIBRARY"].map { [$0] } ?? []
        let places = ancestors(of: ownDirectory) + ancestors(of: FileManager.default.currentDirectoryPath)
        let candidates = named + places.map { "\($0)/.venv/lib/faketime/libfaketimeMT.so.1" }
        guard let path = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw NotFound(description: "libfaketime is not there; run scripts/faketime-from-apt")
        }
        return path
    }

    private static func inEnvironment(_ program: String, _ otherwise: String) throws -> String {
        let places = ancestors(of: ownDirectory) + ancestors(of: FileManager.default.currentDirectoryPath)
        return try existing(places.map { "\($0)/.venv/bin/\(program)" }, otherwise)
    }

    private static var ownDirectory: String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (own as NSString).deletingLastPathComponent
    }

    private static func ancestors(of directory: String) -> [String] {
        var found: [String] = []
        var directory = directory
        while directory.count > 1 {
            found.append(directory)
            directory = (directory as NSString).deletingLastPathComponent
        }
        return found
    }

    private static func existing(_ candidates: [String], _ otherwise: String) throws -> String {
        guard let path = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw NotFound(description: "\(otherwise) (looked for \(candidates.joined(separator: ", ")))")
        }
        return path
    }
}
