import Foundation
import Glibc

/// A file system of a few kilobytes with a directory of manifests. Needs a mount namespace in which this process may mount.
public final class SmallDisk: ObjectStore {
    private let directory: TemporaryDirectory

    public var operatorOptions: [String] { ["--manifests", path] }

    private var path: String { "\(directory.path)/manifests" }
    private var filler: String { "\(directory.path)/filler" }

    /// Mounts one.
    public init(kilobytes: Int) async throws {
        directory = try TemporaryDirectory(named: "disk")
        try await NetworkNamespace.run(
            ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "small-disk", directory.path])
        guard mkdir("\(directory.path)/manifests", 0o755) == 0 else { throw SystemError("mkdir") }
    }

    /// Unmounts it.
    public func end() async throws {
        try await NetworkNamespace.run(["/usr/bin/umount", "--lazy", directory.path])
    }

    /// Writes beside the manifests and moves in place: a reader sees all or nothing.
    public func write(_ name: String, _ text: String) throws {
        let draft = "\(directory.path)/\(name).draft"
        defer { unlink(draft) }
        let bytes = Array(text.utf8)
        guard try append(bytes, to: draft) == bytes.count else { throw SystemError("write \(name)", code: ENOSPC) }
        guard rename(draft, "\(path)/\(name)") == 0 else { throw SystemError("rename \(name)") }
    }

    public func remove(_ name: String) throws {
        guard unlink("\(path)/\(name)") == 0 else { throw SystemError("unlink \(name)") }
    }

    /// Fills what is free.
    public func fill() throws {
        let page = [UInt8](repeating: 0x20, count: 4_096)
        while try append(page, to: filler) == page.count {}
    }

    /// Frees what was filled.
    public func empty() throws {
        guard unlink(filler) == 0 else { throw SystemError("unlink the filler") }
    }

    /// Truncates the file `name` and writes what of `text` there is room for.
    ///
    /// - Parameter pages: how many pages of 4,096 bytes others leave of those that the file gave up.
    /// - Returns: the bytes that were written.
    public func overwrite(_ name: String, _ text: String, leaving pages: Int) throws -> Int {
        guard truncate("\(path)/\(name)", 0) == 0 else { throw SystemError("truncate \(name)") }
        let spare = "\(directory.path)/spare"
        let room = [UInt8](repeating: 0x20, count: 4_096 * pages)
        let kept = try append(room, to: spare)
        guard kept == room.count else { throw SystemError("reserve \(pages) pages", code: ENOSPC) }
        try fill()
        unlink(spare)
        return try append(Array(text.utf8), to: "\(path)/\(name)")
    }

    /// Appends what there is room for, and returns how many bytes that was.
    private func append(_ bytes: [UInt8], to file: String) throws -> Int {
        let descriptor = try Descriptor(open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644), "open \(file)")
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor.number, Array(bytes[written...]), bytes.count - written)
            if count < 0 {
                guard errno == ENOSPC else { throw SystemError("write \(file)") }
                break
            }
            written += count
        }
        return written
    }
}
