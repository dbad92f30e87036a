/// One side of a call: sends numbered datagrams on several streams at once and notes who answered which.
public final class Caller: Sendable {
    /// What one stream sent and got.
    public struct Stream: Sendable {
        /// The Envoy's port.
        public let port: UInt16
        /// How many datagrams were sent; they are numbered from 0.
        public internal(set) var sent = 0
        /// Who answered each datagram that was answered.
        public internal(set) var answers: [Int: String] = [:]
        /// Who answered last, and which datagram.
        public internal(set) var last: (number: Int, worker: String)?

        /// How many datagrams from number `start` on were not answered; the last ones may still be on their way.
        public func lost(from start: Int = 0) -> Int {
            (start..<max(start, sent)).count { answers[$0] == nil }
        }

        /// Who answered any datagram from number `start` on.
        public func workers(from start: Int = 0) -> Set<String> {
            Set(answers.lazy.filter { $0.key >= start }.map(\.value))
        }
    }

    /// The name in its datagrams.
    public let name: String
    /// Its streams, one per port, in order.
    public let streams: Observed<[Stream]>
    private let thread: PollThread
    private let isSending: Observed<Bool>

    /// Starts sending to `ports` of `host`, each stream on a socket of its own, one datagram each `interval`.
    public init(name: String, host: String = "127.0.0.1", ports: [UInt16], interval: Duration = .milliseconds(20)) throws {
        let sockets = try ports.map { try Descriptor.udp(connectedTo: SocketAddress(host, $0)) }
        let streams = Observed(ports.map { Stream(port: $0) })
        let isSending = Observed(true)
        let pace = Observed(ContinuousClock.now)
        self.name = name
        self.streams = streams
        self.isSending = isSending
        thread = try PollThread(
            descriptors: sockets,
            readable: { index in
                while let bytes = sockets[index].receive() {
                    streams.update { $0[index].note(bytes, of: name) }
                }
            },
            tick: {
                guard isSending.value else { return nil }
                let now = ContinuousClock.now
                guard pace.value <= now else { return pace.value - now }
                pace.update { $0 = max($0 + interval, now) }
                for index in sockets.indices {
                    // Counted before it is sent, so that no answer can come to a datagram that is not yet counted.
                    let number = streams.update { streams in
                        defer { streams[index].sent += 1 }
                        return streams[index].sent
                    }
                    sockets[index].send(Array("\(name) \(number)".utf8))
                }
                return max(.zero, pace.value - ContinuousClock.now)
            })
    }

    /// The number of the next datagram of each stream: a mark to look from later.
    public var mark: [Int] { streams.value.map(\.sent) }

    /// Waits until each stream got an answer to a datagram sent from now on, and returns who answered last on each.
    public func freshAnswers(within limit: Duration = .seconds(20)) async throws -> [String] {
        let mark = mark
        return try await streams.wait(for: "an answer on every stream of \(name)", within: limit) { streams in
            let fresh = zip(streams, mark).compactMap { stream, mark in
                stream.last.flatMap { $0.number >= mark ? $0.worker : nil }
            }
            return fresh.count == streams.count ? fresh : nil
        }
    }

    /// Waits until a fresh datagram of each stream is answered by someone of whom `condition` approves.
    @discardableResult
    public func awaitAnswers(
        _ what: String, within limit: Duration = .seconds(20), _ condition: @escaping @Sendable ([String]) -> Bool
    ) async throws -> [String] {
        let mark = mark
        return try await streams.wait(for: "\(what) on the streams of \(name)", within: limit) { streams in
            let fresh = zip(streams, mark).compactMap { stream, mark in
                stream.last.flatMap { $0.number >= mark ? $0.worker : nil }
            }
            return fresh.count == streams.count && condition(fresh) ? fresh : nil
        }
    }

    /// Waits until each stream sent `count` further datagrams.
    public func awaitSent(_ count: Int, within limit: Duration = .seconds(20)) async throws {
        let goals = mark.map { $0 + count }
        try await streams.wait(for: "\(count) datagrams of \(name)", within: limit) { streams in
            zip(streams, goals).allSatisfy { $0.sent >= $1 } ? () : nil
        }
    }

    /// Ends sending, gives outstanding answers `grace` to come, and returns the final account.
    @discardableResult
    public func stop(grace: Duration = .seconds(1)) async -> [Stream] {
        isSending.update { $0 = false }
        _ = try? await streams.wait(for: "outstanding answers", within: grace) { streams in
            streams.allSatisfy { stream in stream.last.map { $0.number == stream.sent - 1 } ?? false } ? () : nil
        }
        await thread.stop()
        return streams.value
    }
}

extension Caller.Stream {
    /// Notes an answer: the worker's name, then what was sent.
    fileprivate mutating func note(_ bytes: [UInt8], of name: String) {
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count == 3, words[1] == name, let number = Int(words[2]), (0..<sent).contains(number) else { return }
        answers[number] = String(words[0])
        if last.map({ $0.number < number }) ?? true { last = (number, String(words[0])) }
    }
}
