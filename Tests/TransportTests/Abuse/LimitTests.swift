import Glibc
import RPCTestClient
import Testing
import Transport

/// Bounds on what one client, or one address, may have or owe.
@Suite(.timeLimit(.minutes(1))) struct LimitTests {
    @Test func anAddressHasSoManyConnectionsAndOthersHaveTheirs() async throws {
        try await TestServer.with({ $0.maximumConnectionsPerAddress = 2 }) { server in
            func connect(_ source: String) async throws -> TestClient {
                let client = try await TestClient(server.address, from: try SocketAddress("\(source):0"))
                try await client.until { $0.isClosed || !$0.session.serverSettings.isEmpty }
                return client
            }
            func isServed(_ client: TestClient) async -> Bool { await client.state { !$0.isClosed } }
            let first = try await connect("127.0.0.1")
            let second = try await connect("127.0.0.1")
            let third = try await connect("127.0.0.1")
            #expect(await isServed(first))
            #expect(await isServed(second))
            #expect(await !isServed(third))
            #expect(await server.lines.stream.first { $0.hasPrefix("notice 127.0.0.1:") } != nil)
            let other = try await connect("127.0.0.2")
            #expect(await isServed(other))
            // One that leaves makes room; the server may need a moment to see it.
            await first.close()
            while await !isServed(try await connect("127.0.0.1")) {}
            #expect(await isServed(second))
        }
    }

    @Test func settingsThatAreNeverAcknowledgedEndTheConnection() async throws {
        try await TestServer.with({ $0.keepaliveTimeout = .milliseconds(200) }) { server in
            let client = try await TestClient(server.address, speaksHTTP2: false)
            await client.sendRaw(RawFrame.magic + RawFrame.settings() + RawFrame.headers(1, RawFrame.request("/test/Echo")))
            // It is anything but silent.
            while await !client.state({ $0.isClosed }) {
                let count = await client.state { $0.rawInput.count }
                await client.sendRaw(RawFrame.message(1, [1, 2, 3]))
                try await client.until { $0.isClosed || $0.rawInput.count > count }
            }
            // SETTINGS_TIMEOUT (RFC 9113 section 7)
            let input = await client.state { $0.rawInput }
            #expect(RawFrame.read(input).last { $0.kind == RawFrame.Kind.goAway.rawValue }?.errorCode == 4)
        }
    }

    @Test func whoGivesRoomAndTakesNothingIsShownOut() async throws {
        try await TestServer.with({ $0.stallTimeout = .milliseconds(500) }) { server in
            let client = try await TestClient(server.address, speaksHTTP2: false)
            let wide = RawFrame.settings([(4, 0x7FFF_FFFF)])
            let request = RawFrame.message(1, Array(repeating: 1, count: 32))
            await client.read(false)
            await client.sendRaw(
                RawFrame.magic + wide + RawFrame.frame(.settings, flags: RawFrame.acknowledgement)
                    + RawFrame.windowUpdate(0x7FFE_0000) + RawFrame.headers(1, RawFrame.request("/test/Flood"))
                    + request)
            // A megabyte at a time, until the sockets' buffers are full; and then it goes on asking, and giving room.
            for await event in server.router.events {
                if event == "closed" { break }
                await client.sendRaw(RawFrame.windowUpdate(1) + request)
            }
            #expect(await server.lines.stream.first { $0.contains("takes none of the messages") } != nil)
        }
    }

    enum End: CaseIterable { case endOfStream, reset, abort }

    /// What is accounted for them would add up to more than there may be.
    @Test(arguments: End.allCases) func messagesThatAreCutOffLeaveNothingInTheAccount(_ end: End) async throws {
        try await TestServer.with {
            $0.maximumBufferedByteCount = 100_000
            $0.maximumTotalBufferedByteCount = 100_000
            $0.smallBufferedByteCount = 0
        } _: { server in
            var events = server.router.events.makeAsyncIterator()
            var client = try await server.connect()
            for _ in 0..<5 {
                let id = await client.open("/test/Echo")
                await client.perform { $0.sendRaw(id, [0, 0, 1, 0x86, 0xA0] + Array(repeating: 7, count: 60_000)) }
                // Answered after the bytes before it were read.
                let count = await client.perform { $0.pingAcknowledgementCount }
                await client.perform { $0.ping() }
                try await client.until {
                    $0.session.pingAcknowledgementCount > count && $0.session.unsentByteCount(of: id) == 0
                }
                #expect(await client.perform { $0.streams[id]?.isEnded } == false)
                switch end {
                case .endOfStream:
                    await client.perform { $0.end(id) }
                    try await client.until { $0.session.streams[id]?.closeCode != nil }
                    #expect(await client.perform { $0.streams[id]?.value("grpc-status") } == "13")
                case .reset: await client.perform { $0.reset(id) }
                case .abort:
                    await client.abort()
                    client = try await server.connect()
                }
                #expect(await events.next() == "closed")
            }
            let id = await client.open("/test/Echo")
            let message = [UInt8](repeating: 3, count: 90_000)
            await client.perform { $0.send(id, message) }
            try await client.until { $0.session.streams[id]?.messages == [message] }
        }
    }
}
