import Foundation
import Load
import Measurement

/// A program that a benchmark runs; ended when the last reference goes.
final class Program {
    private let process = Process()
    let log: URL

    /// Starts `path`; what it writes goes to a file in `directory`.
    init(_ path: String, _ arguments: [String], in directory: URL) throws {
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw LoadError.invalid("\(path) is not built; run `make bench`, or name another by its option")
        }
        log = directory.appending(path: "\((path as NSString).lastPathComponent)-\(UUID().uuidString.prefix(8)).log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardOutput = try FileHandle(forWritingTo: log)
        process.standardError = process.standardOutput
        try process.run()
    }

    deinit { Foundation.kill(process.processIdentifier, SIGKILL) }

    var processID: pid_t { process.processIdentifier }

    /// What it has written.
    var output: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    func figures() throws -> ProcessFigures { try ProcessFigures(of: processID) }

    /// Ends it at once, as a crash would.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Asks it to end.
    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// Runs a program to its end, and returns what it wrote.
    static func run(_ path: String, _ arguments: [String], in directory: URL) throws -> String {
        let program = try Program(path, arguments, in: directory)
        program.process.waitUntilExit()
        guard program.process.terminationStatus == 0 else {
            throw LoadError.invalid("\(path) \(arguments.joined(separator: " ")) failed: \(program.output.suffix(500))")
        }
        return program.output
    }
}

/// Ports that were free a moment ago.
func freePorts(_ count: Int) throws -> [UInt16] {
    var sockets: [CInt] = []
    defer { for descriptor in sockets { close(descriptor) } }
    return try (0..<count).map { _ in
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        sockets.append(descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard code == 0 else { throw LoadError.system("bind", errno) }
        return UInt16(bigEndian: address.sin_port)
    }
}
