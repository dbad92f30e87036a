import Foundation

/// Programs that the tests call, found where the build puts them or where the environment says.
enum Tool {
    case python
    case envoy

    /// The root of the package.
    static let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private var location: (variable: String, path: String) {
        switch self {
        case .python: ("XDS_OPERATOR_PYTHON", ".venv/bin/python")
        case .envoy: ("XDS_OPERATOR_ENVOY", ".venv/bin/envoy")
        }
    }

    /// Runs the tool to its end and returns its exit status and all that it printed.
    /// - Throws: when the tool is missing; a test that needs it must fail then.
    func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let path =
            ProcessInfo.processInfo.environment[location.variable] ?? Tool.packageRoot.appending(path: location.path).path()
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw MissingTool(text: "\(path) is missing: run scripts/python-environment, or set \(location.variable)")
        }
        return try withTemporaryFile { output in
            try Data().write(to: output)
            let handle = try FileHandle(forWritingTo: output)
            let process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = arguments
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = handle
            process.standardError = handle
            try process.run()
            process.waitUntilExit()
            try handle.close()
            return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
        }
    }
}

struct MissingTool: Error, CustomStringConvertible {
    var text: String
    var description: String { text }
}

/// Calls `body` with the place of a file that does not exist yet, and removes it afterwards.
func withTemporaryFile<Result>(suffix: String = "", _ body: (URL) throws -> Result) throws -> Result {
    let file = FileManager.default.temporaryDirectory.appending(path: "xds-operator-\(UUID().uuidString)\(suffix)")
    defer { try? FileManager.default.removeItem(at: file) }
    return try body(file)
}

/// What Envoy says of a configuration: its exit status and its warnings and errors.
func validate(bootstrap: String, arguments: [String] = []) throws -> (status: Int32, output: String) {
    try withTemporaryFile(suffix: ".yaml") { file in
        try bootstrap.write(to: file, atomically: false, encoding: .utf8)
        return try Tool.envoy.run(
            ["--mode", "validate", "--log-level", "warning", "--config-path", file.path()] + arguments)
    }
}
