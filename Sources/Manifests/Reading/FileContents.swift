import Glibc

/// What tells one state of a file from another without reading it.
struct FileSignature: Equatable {
    let device: UInt
    let inode: UInt
    let size: Int
    /// When the contents were written, since 1970.
    let modifiedAt: Duration
    /// When contents, name or mode changed, since 1970.
    let changedAt: Duration

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        modifiedAt = .seconds(status.st_mtim.tv_sec) + .nanoseconds(status.st_mtim.tv_nsec)
        changedAt = .seconds(status.st_ctim.tv_sec) + .nanoseconds(status.st_ctim.tv_nsec)
    }

    /// Whether it is the same file, in whatever state: not one that was moved in its place.
    func isSameFile(as other: FileSignature) -> Bool { device == other.device && inode == other.inode }

    /// How long ago the contents were written.
    var age: Duration { FileSignature.now - modifiedAt }

    /// Whether the file was changed so short a time ago, or will have been, that another change may leave the same signature: file
    /// systems take the time from a clock that ticks every few milliseconds. False where their clock is ahead of ours.
    var isRacy: Bool { (.zero..<FileSignature.tick).contains(FileSignature.now - changedAt) }

    /// More than the ticks of all kernels, which are of 1 to 10 ms.
    private static let tick = Duration.milliseconds(20)

    private static var now: Duration {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec)
    }
}

/// Files as the readers of manifests see them.
enum FileContents {
    /// Why a file was not read.
    enum Failure: Error, Equatable {
        /// There is no file of that name.
        case gone
        /// There is something, but it can't be read; the reason completes "the file …".
        case unreadable(String)
    }

    /// The largest file that is read, in bytes.
    static let maximumSize = 16 * 1024 * 1024

    /// The text of the regular file `path`, its signature before reading, and whether that was racy then. Blocks for as long as the
    /// disk takes.
    static func read(_ path: String) throws(Failure) -> (text: String, signature: FileSignature, isRacy: Bool) {
        // Not to wait for the writer of a pipe that somebody named like a manifest.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("is not a regular file") }
        guard status.st_size <= maximumSize else { throw .unreadable("is larger than \(maximumSize) bytes") }
        let signature = FileSignature(status)
        let isRacy = signature.isRacy
        let bytes = try bytes(descriptor, path: path, expected: Int(status.st_size))
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .unreadable("is not UTF-8 text") }
        let mark: Unicode.Scalar = "\u{FEFF}"
        return (text.unicodeScalars.first == mark ? String(text.unicodeScalars.dropFirst()) : text, signature, isRacy)
    }

    /// What the system says to error `code`.
    static func message(_ code: Int32) -> String { String(cString: strerror(code)) }

    private static func bytes(_ descriptor: Int32, path: String, expected: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(expected)
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path, errno)
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= maximumSize else { throw .unreadable("is larger than \(maximumSize) bytes") }
        }
    }

    private static func failure(_ path: String, _ code: Int32) -> Failure {
        guard code == ENOENT || code == ENOTDIR else { return .unreadable("can't be read: \(message(code))") }
        var status = stat()
        return lstat(path, &status) == 0 ? .unreadable("is a symbolic link to nothing") : .gone
    }
}
