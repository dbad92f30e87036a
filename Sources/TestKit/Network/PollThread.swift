import CLinux
import Glibc

/// A thread that reads from descriptors as they become readable, and that wakes up at given times.
final class PollThread: Sendable {
    private let wake: Descriptor
    private let hasEnded = Observed(false)

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - readable: called on the thread with the index of each readable descriptor.
    ///   - tick: called on the thread before each wait; returns how long to wait at most, nil for ever.
    init(
        descriptors: [Descriptor], readable: @escaping @Sendable (Int) -> Void,
        tick: @escaping @Sendable () -> Duration? = { nil }
    ) throws {
        let wake = try Descriptor(eventfd(0, CInt(EFD_CLOEXEC)), "eventfd")
        self.wake = wake
        let hasEnded = hasEnded
        try startThread {
            Self.loop(wake, descriptors, readable, tick)
            hasEnded.update { $0 = true }
        }
    }

    deinit { requestEnd() }

    /// Ends the thread; its descriptors are closed on return, unless someone else holds them.
    func stop() async {
        requestEnd()
        // The thread looks at the wake descriptor after every pass.
        _ = try? await hasEnded.wait(for: "the end of a polling thread", within: .seconds(10)) { $0 ? true : nil }
    }

    private func requestEnd() {
        var one: UInt64 = 1
        write(wake.number, &one, 8)
    }

    private static func loop(
        _ wake: Descriptor, _ descriptors: [Descriptor], _ readable: (Int) -> Void, _ tick: () -> Duration?
    ) {
        var entries = ([wake] + descriptors).map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
        while true {
            let timeout = tick()?.wholeMilliseconds ?? -1
            guard poll(&entries, nfds_t(entries.count), timeout) >= 0 || errno == EINTR else { return }
            if entries[0].revents != 0 { return }
            for index in descriptors.indices where entries[index + 1].revents != 0 {
                readable(index)
            }
        }
    }
}
