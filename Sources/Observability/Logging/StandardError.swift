import Glibc

/// The stream for everything that is not the result of a command.
public enum StandardError {
    /// Writes `line` and a line feed at once, so that lines of several threads do not mix.
    public static func print(_ line: String) {
        var text = line + "\n"
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
