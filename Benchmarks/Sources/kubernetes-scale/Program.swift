import Foundation
import Glibc

/// A process that ends with this one, and what the kernel says of it.
final class Program {
    private let process = Process()
    private let output: String

    init(_ command: [String], output: String) throws {
        self.output = output
        try Data().write(to: URL(fileURLWithPath: output))
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments = ["--pdeathsig", "KILL", "--"] + command
        let file = FileHandle(forWritingAtPath: output)
        process.standardOutput = file
        process.standardError = file
        try process.run()
    }

    deinit { end() }

    var isRunning: Bool { process.isRunning }

    func end() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func awaitEnd() { process.waitUntilExit() }

    var log: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }

    /// The word that follows `text` in what it wrote; waits for it.
    func word(after text: String) throws -> String {
        let deadline = Date().addingTimeInterval(60)
        while Date() < deadline {
            if let range = log.range(of: text) {
                let rest = log[range.upperBound...]
                if let end = rest.firstIndex(where: \.isWhitespace) { return String(rest[..<end]) }
            }
            guard process.isRunning else { break }
            usleep(2000)
        }
        throw Failure("never wrote \"\(text)\"", self)
    }

    /// A line of `/proc/PID/status`, in MiB.
    func memory(_ name: String) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
    }

    /// Processor time used so far, in user and kernel mode.
    var processorSeconds: Double {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
        // The name, in brackets, may hold spaces; the fields after it are counted from 3.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
        return (user + system) / Double(sysconf(CInt(_SC_CLK_TCK)))
    }
}

/// Why there is no measurement.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ what: String, _ program: Program) {
        description = "\(what)\n\(program.log.split(separator: "\n").suffix(20).joined(separator: "\n"))"
    }

    init(_ what: String) { description = what }
}
