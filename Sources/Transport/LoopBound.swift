/// An actor that lives on one event loop: its executor is that loop, for as long as it is there.
///
/// An actor cannot inherit `unownedExecutor`, so each conforming one says `loop.asUnownedSerialExecutor()` itself.
public protocol LoopBound: Actor {
    /// The loop whose thread runs all that the actor does.
    nonisolated var loop: EventLoop { get }
}

extension LoopBound {
    /// Enters the actor from its loop's thread; traps elsewhere.
    ///
    /// Does what `assumeIsolated` does, for what happens with each push: that asks the runtime which executor is current, and allocates
    /// memory for the closure, twice; this looks at the thread alone. `operation` should capture nothing, and take what it needs as
    /// `argument`: then it is a constant.
    @inlinable @inline(__always)
    public nonisolated func onLoop<Argument, Result: Sendable>(
        _ argument: Argument, _ operation: @escaping (isolated Self, Argument) -> Result
    ) -> Result {
        loop.checkIsolated()
        // Safe: the actor's jobs run on this thread only, which is here, so none of them runs meanwhile; and at run time an isolated
        // parameter is a parameter like others, which is what `assumeIsolated` relies on, too.
        return unsafeBitCast(operation, to: ((Self, Argument) -> Result).self)(self, argument)
    }
}
