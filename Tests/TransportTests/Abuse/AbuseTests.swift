import Foundation
import HTTP2
import RPCTestClient
import Testing
import Transport

/// Abuse of the port, mostly by raw frames, on the one loop that serves everybody: others are answered meanwhile, and the abuser is shown out.
@Suite(.serialized, .timeLimit(.minutes(2))) struct AbuseTests {
    /// How many times as long everything may take: `scripts/sanitize` sets it, because a sanitized program is that much slower.
    private let slowness = ProcessInfo.processInfo.environment["XDS_OPERATOR_TESTS_SLOWNESS"].flatMap(Int.init) ?? 1

    @Test(arguments: Attack.all) func othersAreServed(attack: Attack) async throws {
        // The default leaves room for Envoys without ADS: an attack that opens streams takes twenty times as long to reach it.
        try await TestServer.with(loops: 1, { $0.session.maximumConcurrentStreams = 100 }) { server in
            let bystander = try await server.connect()
            let echo = await bystander.open("/test/Echo")
            try await withThrowingTaskGroup(of: Set<UInt32>.self) { group in
                for _ in 0..<2 { group.addTask { try await play(attack, server.address) } }
                var waits: [Duration] = []
                var codes: Set<UInt32> = []
                for number in 1...40 { waits.append(try await ask(bystander, echo, number)) }
                for try await more in group { codes.formUnion(more) }
                for number in 41...50 { waits.append(try await ask(bystander, echo, number)) }
                waits.sort()
                #expect(waits[25] < .milliseconds(50) * slowness, "the median of \(waits)")
                #expect(waits[49] < .seconds(1) * slowness, "the longest of \(waits)")
                // Who does not read may miss the last words.
                #expect(!codes.isEmpty || !attack.reads)
                #expect(codes.isSubset(of: attack.codes), "\(codes)")
            }
        }
    }

    /// Says something on an echo's stream, and waits for the answer.
    func ask(_ client: TestClient, _ stream: Int32, _ number: Int) async throws -> Duration {
        let begin = ContinuousClock.now
        await client.perform { $0.send(stream, [UInt8(truncatingIfNeeded: number)]) }
        try await client.until { $0.session.streams[stream]?.messages.count == number }
        return ContinuousClock.now - begin
    }

    /// Plays an attack on ten connections, one after the other, each until it is closed; returns the error codes of the GOAWAY frames.
    private func play(_ attack: Attack, _ address: SocketAddress) async throws -> Set<UInt32> {
        var codes: Set<UInt32> = []
        for _ in 0..<4 {
            let client = try await TestClient(address, speaksHTTP2: false)
            await client.sendRaw(attack.begin)
            if !attack.reads { await client.read(false) }
            var number = 0
            while await !client.state({ $0.isClosed }) {
                await client.sendRaw(attack.round(number))
                number += 1
                // It looks in the end, to see what it was told.
                if !attack.reads, number == 30 { await client.read(true) }
                try await client.until { $0.isClosed || $0.unsentByteCount == 0 }
                try #require(number < 10_000, "the server never ends it")
            }
            let input = await client.state { $0.rawInput }
            codes.formUnion(RawFrame.read(input).compactMap { $0.kind == RawFrame.Kind.goAway.rawValue ? $0.errorCode : nil })
        }
        return codes
    }
}
