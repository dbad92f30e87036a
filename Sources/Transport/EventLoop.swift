import Glibc

/// A thread that waits for descriptors, runs timers, and is the serial executor of the actors pinned to it.
///
/// Code that an actor's job, a timer, a submitted call or a descriptor's readiness leads to runs on the loop's thread, so it may
/// enter any actor of the loop by `assumeIsolated`. A tick is: ready descriptors, due timers, jobs and calls in the order of
/// arrival, then the handlers of its end. The thread ends when the last reference to the loop is gone; the loop's actors, each
/// of which refers to its executor, are gone by then, so no job can be lost.
public final class EventLoop: SerialExecutor {
    private let thread: EventLoopThread

    /// Starts a loop whose thread bears `name` (at most 15 bytes are shown by the system).
    public init(name: String) throws {
        thread = try EventLoopThread()
        try thread.start(name: name, for: self)
    }

    deinit {
        thread.wake()
    }

    // MARK: - From any thread

    public func enqueue(_ job: consuming ExecutorJob) {
        thread.push(.job(UnownedJob(job)))
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    public func checkIsolated() {
        precondition(isCurrent, "not on the thread of this event loop")
    }

    public func isIsolatingCurrentContext() -> Bool? {
        isCurrent
    }

    /// Whether the caller runs on the loop's thread.
    public var isCurrent: Bool { thread.isCurrent }

    /// Runs `call` on the loop in a later step.
    public func submit(_ call: @escaping @Sendable () -> Void) {
        thread.push(.call(call))
    }

    /// Lets the loop attend to its sockets before the caller, an actor of the loop, goes on.
    ///
    /// `Task.yield` would go by a thread of the global executor, and wake it, to come back here.
    public nonisolated(nonsending) func turn() async {
        await withUnsafeContinuation { continuation in
            thread.push(.call { continuation.resume() })
        }
    }

    // MARK: - From the loop's thread only

    /// The time at which the current tick began.
    public var now: ContinuousClock.Instant {
        checkIsolated()
        return thread.now
    }

    /// The same.
    var moment: Moment {
        checkIsolated()
        return thread.moment
    }

    /// Runs `action` on the loop, not earlier than `delay` from now.
    @discardableResult
    public func schedule(after delay: Duration, _ action: @escaping @Sendable () -> Void) -> TimerToken {
        checkIsolated()
        return thread.timers.schedule(at: .now + delay, action)
    }

    /// Cancels a timer; one that has fired or was cancelled before is ignored.
    public func cancel(_ token: TimerToken) {
        checkIsolated()
        thread.timers.cancel(token)
    }

    /// Watches a descriptor, which stays the caller's, until `deregister`.
    package func register(
        _ descriptor: CInt, _ interest: Readiness, _ handler: any DescriptorHandler
    ) throws(SystemError) -> Registration {
        checkIsolated()
        return try thread.poller.register(descriptor, interest, handler)
    }

    package func modify(_ registration: Registration, _ interest: Readiness) {
        checkIsolated()
        thread.poller.modify(registration, interest)
    }

    package func deregister(_ registration: Registration) {
        checkIsolated()
        thread.poller.deregister(registration)
    }

    /// Calls `handler` once when the tick ends.
    func atEndOfTick(_ handler: any EndOfTickHandler) {
        checkIsolated()
        thread.endOfTickHandlers.append(handler)
    }

    /// Memory that everyone on the loop reads into; what it holds is gone when anyone else gets a turn.
    var readBuffer: UnsafeMutableRawBufferPointer {
        checkIsolated()
        return thread.readBuffer
    }
}

/// What an event loop calls when a tick ends, to do once what many calls in the tick asked for.
protocol EndOfTickHandler: AnyObject, Sendable {
    /// Called on the loop.
    nonisolated func endOfTick()
}
