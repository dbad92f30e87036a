import GRPC
import HTTP2
import RPCTestClient
import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct RPCServerTests {
    @Test func echoesMessagesBothWays() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let id = await client.open("/test/Echo")
            let messages: [[UInt8]] = [[], [1], [1, 2, 3], [UInt8](repeating: 9, count: 300_000)]
            for message in messages {
                await client.perform { $0.send(id, message) }
                try await client.until { $0.session.streams[id]?.messages.last == message }
            }
            await client.perform { $0.end(id) }
            try await client.until { $0.session.streams[id]?.closeCode == 0 }
            let stream = await client.perform { $0.streams[id] }
            #expect(stream?.messages == messages)
            #expect(stream?.value("grpc-status") == "0")
            #expect(await server.router.events.first { _ in true } == "closed")
        }
    }

    @Test func anUnknownMethodIsUnimplemented() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let id = await client.open("/test/Nothing")
            try await client.until { $0.session.streams[id]?.closeCode == 0 }
            let stream = await client.perform { $0.streams[id] }
            #expect(stream?.sections.count == 1)
            #expect(stream?.value(":status") == "200")
            #expect(stream?.value("grpc-status") == "12")
            #expect(stream?.value("grpc-message") == "no method /test/Nothing")
        }
    }

    @Test func aWrongContentTypeIs415() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let id = await client.perform {
                $0.request([
                    (":method", "POST"), (":scheme", "http"), (":path", "/test/Echo"), (":authority", "x"),
                    ("content-type", "text/html"),
                ])
            }
            try await client.until { $0.session.streams[id]?.closeCode == 0 }
            #expect(await client.perform { $0.streams[id]?.value(":status") } == "415")
        }
    }

    @Test(
        arguments: [
            ([1, 0, 0, 0, 1, 0], "12"), ([0, 0xFF, 0xFF, 0xFF, 0xFF, 0], "8"), ([0x50, 0x4F], "13"),
        ] as [([UInt8], String)])
    func badFramingEndsThatStreamOnly(bytes: [UInt8], status: String) async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let good = await client.open("/test/Echo")
            let bad = await client.open("/test/Echo")
            await client.perform { $0.sendRaw(bad, bytes) }
            try await client.until { $0.session.streams[bad]?.closeCode == 0 }
            #expect(await client.perform { $0.streams[bad]?.value("grpc-status") } == status)
            await client.perform { $0.send(good, [5]) }
            try await client.until { $0.session.streams[good]?.messages == [[5]] }
        }
    }

    @Test func aTruncatedMessageIsInternal() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let id = await client.open("/test/Echo")
            await client.perform {
                $0.sendRaw(id, [0, 0, 0, 0, 9, 1])
                $0.end(id)
            }
            try await client.until { $0.session.streams[id]?.closeCode == 0 }
            #expect(await client.perform { $0.streams[id]?.value("grpc-status") } == "13")
        }
    }

    @Test func whatWasSentBeforeTheEndArrivesBeforeTheStatus() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let id = await client.open("/test/Echo")
            let message = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            await client.perform {
                $0.send(id, message)
                $0.end(id)
            }
            try await client.until { $0.session.streams[id]?.closeCode == 0 }
            let stream = await client.perform { $0.streams[id] }
            #expect(stream?.messages == [message])
            #expect(stream?.value("grpc-status") == "0")
        }
    }

    @Test func servesManyStreamsOnOneConnection() async throws {
        try await TestServer.with({ $0.session.maximumConcurrentStreams = 200 }) { server in
            let client = try await server.connect()
            var ids: [Int32] = []
            for _ in 0..<200 { ids.append(await client.open("/test/Echo")) }
            for round in 0..<3 {
                await client.perform { [ids] session in
                    for id in ids { session.send(id, [UInt8(truncatingIfNeeded: id), UInt8(round)]) }
                }
            }
            try await client.until { [ids] state in ids.allSatisfy { state.session.streams[$0]?.messages.count == 3 } }
            let isRight = await client.perform { [ids] session in
                ids.allSatisfy { id in
                    session.streams[id]?.messages == (0..<3).map { [UInt8(truncatingIfNeeded: id), $0] }
                }
            }
            #expect(isRight)
        }
    }

    @Test func servesManyConnectionsOnAllLoops() async throws {
        try await TestServer.with(loops: 3) { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<30 {
                    group.addTask {
                        let client = try await server.connect()
                        let id = await client.open("/test/Echo")
                        await client.perform { $0.send(id, [UInt8(number)]) }
                        try await client.until { $0.session.streams[id]?.messages == [[UInt8(number)]] }
                        await client.close()
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: [true, false]) func aSlowReaderHoldsUpNobodyAndLittleIsQueued(updatesWindows: Bool) async throws {
        try await TestServer.with(loops: 1) { server in
            var events = server.router.events.makeAsyncIterator()
            let slow = try await server.connect(updatesWindows: updatesWindows)
            let id = await slow.open("/test/Flood")
            // Not after the request: what has been read by then would count.
            if updatesWindows { await slow.read(false) }
            await slow.perform { $0.send(id, [1]) }
            // The receiver stops once a megabyte waits.
            #expect(await events.next()?.hasPrefix("left ") == true)

            let other = try await server.connect()
            let echo = await other.open("/test/Echo")
            await other.perform { $0.send(echo, [3]) }
            try await other.until { $0.session.streams[echo]?.messages == [[3]] }
            #expect(await slow.perform { $0.streams[id]?.messages.count ?? 0 } < TestReceiver.floodCount / 2)

            guard updatesWindows else { return }
            await slow.read(true)
            try await slow.until { $0.session.streams[id]?.messages.count == TestReceiver.floodCount }
            #expect(await slow.perform { $0.streams[id]?.messages.last?.count } == 100_001)
        }
    }

    @Test func aClientThatDisappearsEndsItsRPCs() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let first = await client.open("/test/Echo")
            let second = await client.open("/test/Echo")
            await client.perform {
                $0.send(first, [1])
                $0.send(second, [1])
            }
            try await client.until { $0.session.streams[second]?.messages.count == 1 }
            await client.abort()
            let events = await server.router.events.prefix(2).reduce(into: []) { $0.append($1) }
            #expect(events == ["closed", "closed"])
        }
    }

    @Test func aResetEndsThatRPCOnly() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let first = await client.open("/test/Echo")
            let second = await client.open("/test/Echo")
            // An RPC that is reset in the same read that opens it is never begun.
            await client.perform { $0.send(first, [1]) }
            try await client.until { $0.session.streams[first]?.messages == [[1]] }
            await client.perform { $0.reset(first) }
            #expect(await server.router.events.first { _ in true } == "closed")
            await client.perform { $0.send(second, [1]) }
            try await client.until { $0.session.streams[second]?.messages == [[1]] }
        }
    }

    @Test func answersPings() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            await client.perform { session in for _ in 0..<100 { session.ping() } }
            try await client.until { $0.session.pingAcknowledgementCount == 100 }
        }
    }
}
