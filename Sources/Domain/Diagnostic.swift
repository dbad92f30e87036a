/// What is wrong, or questionable, in an object, told to the person who wrote it.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    /// Whether the object is refused.
    public enum Severity: String, Hashable, Sendable {
        /// The object can't be served.
        case error
        /// The object is served, though perhaps not as meant.
        case warning
    }

    /// Whether the object is refused.
    public var severity: Severity
    /// The field as the user would write it, such as `spec.listeners[0].udp.port`; empty for the whole object.
    public var field: String
    /// What is wrong and what to do, one sentence without a final stop.
    public var message: String
    /// The line of the field in its file, from 1; nil for objects that do not come from a file.
    public var line: Int?

    /// Makes a diagnostic.
    public init(_ severity: Severity, field: String, message: String, line: Int? = nil) {
        self.severity = severity
        self.field = field
        self.message = message
        self.line = line
    }

    public var description: String {
        let place = field.isEmpty ? "" : "\(field): "
        return severity == .error ? place + message : "warning: \(place)\(message)"
    }
}
