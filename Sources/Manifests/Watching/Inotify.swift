import Glibc

/// A change that the kernel reports.
struct InotifyEvent {
    /// The watch that saw it; -1 for an overflow of the queue.
    let watch: Int32
    /// What happened, as bits of `inotify(7)`.
    let mask: UInt32
    /// The entry of the watched directory that it happened to; empty for the directory itself.
    let name: String

    /// Whether one of `bits` happened.
    func happened(_ bits: Int32...) -> Bool { bits.contains { mask & UInt32($0) != 0 } }
}

/// Owns an inotify descriptor. Belongs to one thread.
struct Inotify: ~Copyable {
    private let descriptor: Int32

    /// Opens a queue of events; throws ``ManifestSourceError`` when the system has none left.
    init() throws {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else {
            throw ManifestSourceError(
                "can't watch files: \(FileContents.message(errno)); raise the sysctl fs.inotify.max_user_instances if it is used up"
            )
        }
    }

    deinit { close(descriptor) }

    /// Watches the entries of `directory`; nil when it can't be watched, with the reason in `errno`. A directory that is
    /// watched already, under whatever path, has its watch returned.
    func watch(_ directory: String) -> Int32? {
        let bits =
            IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF
            | IN_MOVE_SELF
        let watch = inotify_add_watch(descriptor, directory, UInt32(bits) | UInt32(IN_ONLYDIR))
        return watch >= 0 ? watch : nil
    }

    /// Ends a watch.
    func remove(_ watch: Int32) { inotify_rm_watch(descriptor, watch) }

    /// Blocks until there are events (true), `waker` rings or `timeout` is over (false).
    func wait(_ waker: Waker, timeout: Duration) -> Bool {
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let (seconds, attoseconds) = max(timeout, .zero).components
        let milliseconds = min(seconds, 1_000_000) * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return poll(&descriptors, 2, Int32(milliseconds)) > 0 && descriptors[0].revents != 0
    }

    /// The events in the queue, without waiting.
    func events() -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return events }
            events += Inotify.parse(buffer[..<count])
        }
    }

    /// The records of `inotify(7)`: a head of 16 bytes, the last four the length of the name that follows, padded with NUL.
    private static func parse(_ bytes: ArraySlice<UInt8>) -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        var rest = bytes
        while rest.count >= 16 {
            let (watch, mask, length) = rest.withUnsafeBytes {
                (
                    $0.loadUnaligned(as: Int32.self), $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                    Int($0.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
                )
            }
            let name = rest.dropFirst(16).prefix(length).prefix { $0 != 0 }
            events.append(InotifyEvent(watch: watch, mask: mask, name: String(decoding: name, as: UTF8.self)))
            rest = rest.dropFirst(16 + length)
        }
        return events
    }
}

/// Wakes a thread that waits in `Inotify.wait`, for good. Owns a pipe; writing to it is safe from every thread.
final class Waker: Sendable {
    /// Readable once `wake` was called.
    let descriptor: Int32
    private let writer: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ManifestSourceError("can't watch files: \(FileContents.message(errno))") }
        (descriptor, writer) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        close(descriptor)
        close(writer)
    }

    /// Wakes now and at every later wait.
    func wake() {
        var byte: UInt8 = 1
        // A full pipe is readable as well.
        _ = write(writer, &byte, 1)
    }

    /// Whether `wake` was called.
    var isAwake: Bool {
        var status = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&status, 1, 0) > 0
    }
}
