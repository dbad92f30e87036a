import Foundation
import Glibc

extension ChildProcess {
    /// The processor time that it has used.
    public func processorTime() throws -> Duration {
        // The name before it may have spaces and parentheses in it.
        let fields = try account("stat").split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
            throw SystemError("read the processor time of \(name)", code: EPROTO)
        }
        return .seconds(1) * (user + system) / sysconf(CInt(_SC_CLK_TCK))
    }

    /// The bytes of memory that are its own: resident and of no file.
    public func residentByteCount() throws -> Int {
        guard let line = try account("status").split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { throw SystemError("read the memory of \(name)", code: EPROTO) }
        return kilobytes * 1_024
    }

    /// How many descriptors it has open.
    public func descriptorCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(try number())/fd").count
    }

    /// How many threads it has.
    public func threadCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(try number())/task").count
    }

    private func account(_ file: String) throws -> String {
        try String(contentsOfFile: "/proc/\(try number())/\(file)", encoding: .utf8)
    }

    private func number() throws -> pid_t {
        guard let processID else { throw SystemError("look at \(name)", code: ESRCH) }
        return processID
    }
}
