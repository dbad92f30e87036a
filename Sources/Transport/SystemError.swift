import Glibc

/// A failed system call.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system call, and what it was called for.
    public let call: String
    /// The error number.
    public let number: CInt

    /// The error of the call that has just failed on this thread.
    init(_ call: String) {
        self.init(call, errno)
    }

    init(_ call: String, _ number: CInt) {
        self.call = call
        self.number = number
    }

    public var description: String { "\(call): \(String(cString: strerror(number)))" }
}
