import ArgumentParser
import FoundationEssentials
import Glibc
import Measurement

@main
struct Floor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floor", abstract: "Measure what the kernel takes for writing the same bytes to many sockets.",
        discussion: """
            Starts a second process that connects all sockets and reads them. This process writes the same bytes to each, round after \
            round, and measures its own CPU time: no server that sends these bytes from one process can take less. With --answer \
            the reader answers each message, and this process reads that, as a discovery server reads acknowledgements.
            """,
        subcommands: [Write.self, Read.self], defaultSubcommand: Write.self)
}

/// What was measured.
struct FloorReport: Codable {
    var sockets: Int
    var bytes: Int
    var answerBytes: Int
    var rounds: Int
    /// CPU microseconds of the writing process, by message.
    var cpuMicrosecondsPerMessage: Double
    /// Milliseconds from the first write to the last message's having been read, by round.
    var lastReadMilliseconds: [Double]
}

struct Write: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write, with a reader of its own.")

    @Option(help: "Sockets.") var sockets = 1000
    @Option(help: "Bytes of each message.") var bytes = 800
    @Option(help: "Bytes of each answer; 0 for none.") var answer = 0
    @Option(help: "Measured rounds.") var rounds = 10

    func validate() throws {
        guard (1...15_000).contains(sockets), bytes > 0, answer >= 0, rounds > 0 else {
            throw ValidationError("sockets (up to 15000), bytes and rounds must be positive")
        }
    }

    func run() throws {
        let listener = try Listener()
        let reader = try Reader.spawn([
            "read", "--port", "\(listener.port)", "--sockets", "\(sockets)", "--bytes", "\(bytes)", "--answer", "\(answer)",
        ])
        defer {
            kill(reader, SIGKILL)
            waitpid(reader, nil, 0)
        }
        let writer = try Writer(listener: listener, sockets: sockets, message: bytes, answer: answer)
        for _ in 0..<2 { _ = try writer.round() }
        let before = try ProcessFigures.own().cpuSeconds
        let times = try (0..<rounds).map { _ in try writer.round() }
        let seconds = try ProcessFigures.own().cpuSeconds - before
        print(
            try JSONText.line(
                FloorReport(
                    sockets: sockets, bytes: bytes, answerBytes: answer, rounds: rounds,
                    cpuMicrosecondsPerMessage: seconds / Double(rounds * sockets) * 1e6, lastReadMilliseconds: times)))
    }
}

struct Read: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read; started by the writer.", shouldDisplay: false)

    @Option var port: UInt16
    @Option var sockets: Int
    @Option var bytes: Int
    @Option var answer: Int

    func run() throws { try Reader(port: port, sockets: sockets, message: bytes, answer: answer).run() }
}
