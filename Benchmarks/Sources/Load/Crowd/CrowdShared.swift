import CLinux
import Glibc
import Synchronization

/// What a crowd's thread and its owner share.
final class CrowdShared: Sendable {
    typealias Command = @Sendable (CrowdLoop) -> Void

    let wakeDescriptor: CInt
    private let commands = Mutex<[Command]>([])
    private let state = Mutex(CrowdState())

    init() throws {
        wakeDescriptor = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        guard wakeDescriptor >= 0 else { throw LoadError.system("eventfd", errno) }
    }

    deinit { close(wakeDescriptor) }

    // MARK: - From any thread

    func perform(_ command: @escaping Command) {
        commands.withLock { $0.append(command) }
        var one: UInt64 = 1
        write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
    }

    var current: CrowdState { state.withLock { $0 } }

    // MARK: - From the crowd's thread

    func takeCommands() -> [Command] {
        var count: UInt64 = 0
        read(wakeDescriptor, &count, MemoryLayout<UInt64>.size)
        return commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
    }

    func publish(_ new: CrowdState) { state.withLock { $0 = new } }
}
