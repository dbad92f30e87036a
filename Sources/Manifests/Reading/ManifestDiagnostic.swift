public import Domain

/// A diagnostic together with its file, written as `file:line: field: reason`.
public struct ManifestDiagnostic: Hashable, Sendable, CustomStringConvertible {
    /// The file, as it was named or found.
    public var file: String
    /// Line, field, message and severity.
    public var diagnostic: Diagnostic

    /// Makes a diagnostic of `file`.
    public init(file: String, _ diagnostic: Diagnostic) {
        self.file = file
        self.diagnostic = diagnostic
    }

    /// `file:line: field: reason`; without what is not known, and with `warning: ` before the field of a warning.
    public var description: String {
        diagnostic.line.map { "\(file):\($0): \(diagnostic)" } ?? "\(file): \(diagnostic)"
    }
}
