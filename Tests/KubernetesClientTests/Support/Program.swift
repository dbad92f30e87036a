import Foundation
import TestKit

/// Writes files and runs small programs for a test.
struct Workshop {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory(named: "kubernetes") }

    func path(_ name: String) -> String { directory.path(of: name) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    /// Writes a shell script that can be run.
    func script(_ name: String, _ text: String) throws -> String {
        let path = try write(name, "#!/bin/sh\n\(text)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    func link(_ name: String, to target: String) throws {
        try? FileManager.default.removeItem(atPath: path(name))
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    /// Runs `openssl` in the directory.
    func openssl(_ arguments: String...) async throws {
        let process = try await ChildProcess.start(name: "openssl", ["/usr/bin/env", "-C", path("."), "openssl"] + arguments)
        let end = try await process.progress.wait(for: "the end of openssl", within: .seconds(60)) { $0.end }
        guard end == .exited(0) else { throw Failed(lines: process.progress.value.lines) }
    }

    /// What a program wrote that failed.
    struct Failed: Error {
        var lines: [String]
    }
}
