import Foundation
import TestKit

/// The programs of `Tests/Conformance`, written with libraries that share no code with the operator.
enum Conformance {
    /// The command that runs the program `name`.
    static func command(_ name: String, _ arguments: [String]) throws -> [String] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return [try Programs.python(), tests.appendingPathComponent("Conformance/\(name)").path] + arguments
    }

    /// Runs the program `name` to its end.
    static func run(_ name: String, _ arguments: [String], within limit: Duration) async throws -> (
        end: ProcessEnd, output: String
    ) {
        try await ChildProcess.run(command(name, arguments), environment: ["PYTHONDONTWRITEBYTECODE": "1"], within: limit)
    }
}
