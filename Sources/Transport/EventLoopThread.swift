import CLinux
import Glibc

/// The thread of an event loop and what belongs to it.
///
/// Sendable because of who touches what: `work`, `wakeDescriptor` and `loop` may be used from any thread (a locked queue, a
/// constant, a weak reference that is set before the thread starts); everything else is used by the loop's thread alone, which
/// `EventLoop` checks on each call.
final class EventLoopThread: @unchecked Sendable {
    private static let readBufferSize = 64 * 1024

    private let work = WorkQueue()
    private let wakeDescriptor: CInt
    private weak var loop: EventLoop?

    var poller: Poller
    var timers = TimerQueue<@Sendable () -> Void>()
    var endOfTickHandlers: [any EndOfTickHandler] = []
    var now = ContinuousClock.now
    var moment = Moment.now
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readBufferSize, alignment: 16)
    private var batch: [WorkQueue.Work] = []

    init() throws {
        poller = try Poller()
        wakeDescriptor = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        guard wakeDescriptor >= 0 else { throw SystemError("eventfd") }
    }

    deinit {
        if wakeDescriptor >= 0 { close(wakeDescriptor) }
        readBuffer.deallocate()
    }

    // MARK: - From any thread

    /// The thread's own value under this key is its `EventLoopThread`.
    private static let currentKey: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    var isCurrent: Bool {
        pthread_getspecific(Self.currentKey) == UnsafeMutableRawPointer(Unmanaged.passUnretained(self).toOpaque())
    }

    func start(name: String, for loop: EventLoop) throws {
        self.loop = loop
        _ = try poller.register(wakeDescriptor, .readable, WakeHandler(descriptor: wakeDescriptor))
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let thread = Unmanaged<EventLoopThread>.fromOpaque(context).takeRetainedValue()
                pthread_setspecific(EventLoopThread.currentKey, context)
                EventLoopThread.blockPipeSignal()
                thread.run()
                pthread_setspecific(EventLoopThread.currentKey, nil)
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError("pthread_create", code)
        }
        pthread_setname_np(thread, String(decoding: name.utf8.prefix(15), as: UTF8.self))
        pthread_detach(thread)
    }

    /// OpenSSL writes to sockets without a word against SIGPIPE, which would end the process. It is raised on the thread that wrote, so that
    /// blocking it there does.
    private static func blockPipeSignal() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    func push(_ item: WorkQueue.Work) {
        if work.push(item) { wake() }
    }

    func wake() {
        var one: UInt64 = 1
        write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
    }

    // MARK: - On the thread

    private func run() {
        while true {
            let eventCount = poller.wait(milliseconds: timeout())
            guard let loop else { return }
            tick(loop, eventCount)
        }
    }

    private func tick(_ loop: EventLoop, _ eventCount: Int) {
        now = .now
        moment = Moment(now)
        for index in 0..<eventCount {
            guard let (handler, readiness) = poller.event(at: index) else { continue }
            handler.ready(readiness)
        }
        while let action = timers.popDue(at: now) { action() }
        work.swapOut(&batch)
        for item in batch {
            switch item {
            case .job(let job): job.runSynchronously(on: loop.asUnownedSerialExecutor())
            case .call(let call): call()
            }
        }
        batch.removeAll(keepingCapacity: batch.capacity <= 1024)
        let handlers = endOfTickHandlers
        endOfTickHandlers.removeAll(keepingCapacity: handlers.count <= 1024)
        for handler in handlers { handler.endOfTick() }
    }

    /// How long epoll may wait: not at all with work at hand, else until the next timer, rounded up so as not to come early.
    private func timeout() -> CInt {
        guard endOfTickHandlers.isEmpty, work.prepareToSleep() else { return 0 }
        guard let deadline = timers.nextDeadline() else { return -1 }
        let milliseconds = (deadline - .now) / .milliseconds(1)
        return CInt(min(max(milliseconds.rounded(.up), 0), 3_600_000))
    }
}

/// Empties the eventfd that wakes a loop.
private final class WakeHandler: DescriptorHandler {
    private let descriptor: CInt

    init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    func ready(_ readiness: Readiness) {
        var count: UInt64 = 0
        read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}
