import Foundation

/// A directory of its own, removed with its contents when the last reference goes.
public final class TemporaryDirectory: Sendable {
    /// Its path.
    public let path: String

    /// Makes an empty directory.
    public init(named name: String = "testkit") throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("xds-rig-\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of `name` in it.
    public func path(of name: String) -> String { "\(path)/\(name)" }
}

/// A directory of manifests as an operator watches it: every write appears whole, by a rename.
public struct ManifestDirectory: Sendable {
    private let root: TemporaryDirectory

    /// The directory's path, to give to `--manifests`.
    public var path: String { root.path(of: "manifests") }

    /// Makes an empty directory.
    public init() throws {
        root = try TemporaryDirectory(named: "manifests")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Puts `text` into the file `name`, replacing what was there.
    public func write(_ name: String, _ text: String) throws {
        // Written beside the directory, so that no watcher sees a partial file.
        let draft = root.path(of: name + ".draft")
        try Data(text.utf8).write(to: URL(fileURLWithPath: draft))
        guard rename(draft, "\(path)/\(name)") == 0 else { throw SystemError("rename \(draft)") }
    }

    /// The text of the file `name`.
    public func read(_ name: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
    }

    /// Removes the file `name`.
    public func remove(_ name: String) throws {
        guard unlink("\(path)/\(name)") == 0 else { throw SystemError("unlink \(path)/\(name)") }
    }

    /// Copies every file of `directory` whose name ends in `.yaml`.
    public func copyManifests(from directory: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory).sorted() where name.hasSuffix(".yaml") {
            try write(name, String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8))
        }
    }
}
