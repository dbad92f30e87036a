import ControlPlane
import Glibc
import Logging
import ServiceLifecycle

/// Gives memory back to the system that the allocator keeps: once after the first complete state, which needs for a moment much
/// that it does not keep, and then whenever much has been freed.
///
/// The allocator is locked meanwhile, so it is done seldom, and on a thread of its own: nobody's turn is spent on it.
struct MemoryReturn: Service {
    /// Free memory is worth the trouble from here on.
    private static let worthwhileByteCount = 16 << 20
    private static let untilReady = Duration.milliseconds(500)
    private static let period = Duration.seconds(60)

    let readiness: ControlPlane.Readiness
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Ends only by cancellation.
            while !readiness.isReady {
                guard (try? await Task.sleep(for: Self.untilReady)) != nil else { return }
            }
            while true {
                if let freed = await freedByteCount() {
                    logger.debug("free memory returned to the system", metadata: ["bytes": "\(freed)"])
                }
                guard (try? await Task.sleep(for: Self.period)) != nil else { return }
            }
        }
    }

    /// Returns what is free, if it is much; says how much that was.
    private func freedByteCount() async -> Int? {
        await withCheckedContinuation { continuation in
            let body = Body {
                let count = Allocator.freeByteCount
                guard count >= Self.worthwhileByteCount else { return continuation.resume(returning: nil) }
                Allocator.returnFreePages()
                continuation.resume(returning: count)
            }
            if !body.start() { continuation.resume(returning: nil) }
        }
    }

    private final class Body: Sendable {
        private let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }

        /// Runs on a new thread, which ends with it; false when there can be none.
        func start() -> Bool {
            // Retained for the thread, which releases it.
            let argument = Unmanaged.passRetained(self)
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { argument in
                    if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                    return nil
                }, argument.toOpaque())
            guard code == 0 else {
                argument.release()
                return false
            }
            pthread_detach(thread)
            return true
        }
    }
}
