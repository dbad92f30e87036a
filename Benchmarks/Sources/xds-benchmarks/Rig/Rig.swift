import Foundation
import Load
import Measurement

/// What all benchmarks share: programs, a directory for what they write, and how thorough they are.
struct Rig {
    let operatorPath: String
    let simulatorPath: String
    let definitionsPath: String
    let floorPath: String
    let directory: URL
    /// Smaller and fewer, to be done in a few minutes.
    let isShort: Bool

    /// `full`, or `short` in the short form.
    func size(_ full: Int, short: Int) -> Int { isShort ? short : full }

    /// A directory of manifests of a benchmark's own.
    func manifests(_ name: String) throws -> ManifestDirectory {
        try ManifestDirectory(directory.appending(path: "\(name)-\(UUID().uuidString.prefix(8))"))
    }

    /// The kernel's price of a message, in CPU microseconds, and the milliseconds until all were read.
    func floor(sockets: Int, bytes: Int, answer: Int = 0) throws -> (cpuMicroseconds: Double, lastReadMilliseconds: Double) {
        struct Report: Decodable {
            var cpuMicrosecondsPerMessage: Double
            var lastReadMilliseconds: [Double]
        }
        let rounds = max(3, 50_000 / sockets)
        let output = try Program.run(
            floorPath,
            ["--sockets", "\(sockets)", "--bytes", "\(max(1, bytes))", "--answer", "\(answer)", "--rounds", "\(rounds)"],
            in: directory)
        let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
        return (report.cpuMicrosecondsPerMessage, Repeated(report.lastReadMilliseconds).median)
    }

    func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
