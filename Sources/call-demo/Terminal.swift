import Glibc

/// Writes for a person; colours only where there is a terminal that wants them.
struct Terminal: Sendable {
    private let hasColours = isatty(1) == 1 && getenv("NO_COLOR") == nil

    /// Writes one line at once.
    func line(_ text: String) {
        print(text)
        fflush(nil)
    }

    /// Writes a headline.
    func headline(_ text: String) {
        line("")
        line(paint(text, "1"))
    }

    /// Writes what was expected, with a mark that says whether it came true, and returns whether it did.
    func check(_ isTrue: Bool, _ text: String) -> Bool {
        line("  \(isTrue ? paint("ok  ", "32") : paint("FAIL", "31"))  \(text)")
        return isTrue
    }

    /// Writes the last word.
    func verdict(_ passed: Bool, _ text: String) {
        line("")
        line(passed ? paint("PASSED: \(text)", "1;32") : paint("FAILED: \(text)", "1;31"))
    }

    /// Writes cells in columns.
    func row(_ first: String, _ cells: [String]) {
        line("  " + pad(first, 14) + cells.dropLast().map { pad($0, 11) }.joined() + (cells.last ?? ""))
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private func paint(_ text: String, _ code: String) -> String {
        hasColours ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
