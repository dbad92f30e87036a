import Glibc

/// A thread that may block for as long as it likes: neither the cooperative pool nor Dispatch's workers, which the pool shares on
/// Linux, have one less for it.
enum WatchThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Enough for a document nested as deeply as the YAML parser allows, a thousand levels.
    private static let stackSize = 8 * 1024 * 1024

    /// Runs `body` on a new thread, which ends with it; throws ``ManifestSourceError`` when there can be none.
    static func start(_ body: @escaping @Sendable () -> Void) throws {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stackSize)
        // Retained for the thread, which releases it.
        let argument = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, argument.toOpaque())
        guard code == 0 else {
            argument.release()
            throw ManifestSourceError("can't start a thread to watch files: \(FileContents.message(code))")
        }
    }
}
