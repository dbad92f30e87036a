import Dispatch
import Glibc

/// A system call that failed.
public struct SystemError: Error, CustomStringConvertible {
    /// The call and its subject, such as `bind 127.0.1.1:30000`.
    public var call: String
    /// The value of `errno`.
    public var code: CInt

    /// Makes the error of `call`; `code` is `errno` unless given.
    public init(_ call: String, code: CInt? = nil) {
        self.call = call
        self.code = code ?? errno
    }

    public var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// Runs `body` on a thread of its own, which ends when it returns.
func startThread(_ body: @escaping @Sendable () -> Void) throws {
    final class Start: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let start = Unmanaged.passRetained(Start(body: body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }, start.toOpaque())
    guard code == 0 else {
        start.release()
        throw SystemError("pthread_create", code: code)
    }
    pthread_detach(thread)
}

/// Runs blocking work away from the threads on which tasks run.
func offTaskThreads<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async {
            continuation.resume(with: Swift.Result { try work() })
        }
    }
}
