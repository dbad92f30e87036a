import GRPC
import Logging
import RPCTestClient
import ServiceLifecycle
import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct RPCServerLifetimeTests {
    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1"), ("\u{16}\u{3}\u{1}hello", "TLS"), ("\u{0}\u{1}\u{2}", "preface"),
    ])
    func garbageIsClosedCleanlyWithOneLine(text: String, word: String) async throws {
        try await TestServer.with { server in
            let client = try await TestClient(server.address, speaksHTTP2: false)
            await client.sendRaw(Array(text.utf8))
            try await client.until { $0.isClosed }
            let line = await server.lines.stream.first { _ in true }
            #expect(line?.hasPrefix("info 127.0.0.1:") == true)
            #expect(line?.contains(word) == true)
        }
    }

    @Test func aClientWithoutPrefaceIsClosed() async throws {
        try await TestServer.with({ $0.prefaceTimeout = .milliseconds(50) }) { server in
            let client = try await TestClient(server.address, speaksHTTP2: false)
            try await client.until { $0.isClosed }
        }
    }

    @Test func headersThatAreNotCompletedEndTheConnection() async throws {
        try await TestServer.with({ $0.headersTimeout = .milliseconds(50) }) { server in
            let client = try await TestClient(server.address, speaksHTTP2: false)
            let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
            // HEADERS without END_HEADERS, and nothing after it.
            let headers: [UInt8] = [0, 0, 1, 1, 0, 0, 0, 0, 1, 0x83]
            await client.sendRaw(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings + headers)
            try await client.until { $0.isClosed }
            #expect(await server.lines.stream.first { _ in true }?.contains("header section") == true)
        }
    }

    @Test func aClientThatSendsNoMoreBytesIsClosed() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let id = await client.open("/test/Echo")
            await client.perform { $0.send(id, [1]) }
            try await client.until { $0.session.streams[id]?.messages == [[1]] }
            await client.finishSending()
            try await client.until { $0.isClosed }
            #expect(await server.router.events.first { _ in true } == "closed")
        }
    }

    @Test func aConnectionWithoutStreamIsClosedWithGoAway() async throws {
        try await TestServer.with({ $0.idleTimeout = .milliseconds(50) }) { server in
            let client = try await server.connect()
            try await client.until { $0.isClosed }
            #expect(await client.perform { $0.goAways.last?.errorCode } == 0)
        }
    }

    @Test func aSilentClientIsPingedAndStays() async throws {
        try await TestServer.with({
            $0.keepaliveInterval = .milliseconds(20)
            $0.idleTimeout = .seconds(60)
        }) { server in
            let client = try await server.connect()
            try await client.until { $0.session.pingCount >= 3 }
            #expect(await client.perform { $0.goAways.isEmpty })
        }
    }

    @Test func aClientThatTakesNothingIsClosed() async throws {
        try await TestServer.with({ $0.stallTimeout = .milliseconds(100) }) { server in
            let client = try await server.connect(updatesWindows: false)
            let id = await client.open("/test/Flood")
            await client.perform { $0.send(id, [1]) }
            try await client.until { $0.isClosed }
            #expect(await server.router.events.first { $0 == "closed" } != nil)
        }
    }

    @Test func tooManyConnectionsAreRefused() async throws {
        try await TestServer.with({ $0.maximumConnections = 2 }) { server in
            let first = try await server.connect()
            let second = try await server.connect()
            try await second.until { !$0.session.serverSettings.isEmpty }
            let third = try await server.connect()
            try await third.until { $0.isClosed }
            // One that leaves makes room; the server may need a moment to see it.
            await first.close()
            while true {
                let client = try await server.connect()
                try await client.until { $0.isClosed || !$0.session.serverSettings.isEmpty }
                if await client.perform({ !$0.serverSettings.isEmpty }) { break }
            }
        }
    }

    @Test func aGracefulShutdownLetsRPCsEnd() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let docile = await client.open("/test/Echo")
            let stubborn = await client.open("/test/Stubborn")
            await client.perform { $0.send(stubborn, [1]) }
            try await client.until { $0.session.streams[stubborn]?.messages == [[1]] }

            await server.group.triggerGracefulShutdown()
            try await client.until { $0.session.goAways.count == 2 && $0.session.streams[docile]?.closeCode == 0 }
            #expect(await client.perform { $0.goAways.map(\.lastStreamID) } == [.max, stubborn])
            #expect(await client.perform { $0.streams[docile]?.value("grpc-status") } == "14")
            await #expect(throws: TestClient.TimedOut.self) { _ = try await server.connect() }

            // The connection lives on for the stream that is left, and no longer.
            await client.perform { $0.send(stubborn, [2]) }
            try await client.until { $0.session.streams[stubborn]?.messages == [[1], [2]] }
            await client.perform { $0.end(stubborn) }
            try await client.until { $0.isClosed }
            #expect(await client.perform { $0.streams[stubborn]?.value("grpc-status") } == "0")
            let events = await server.router.events.prefix(4).reduce(into: []) { $0.append($1) }
            #expect(events == ["shutdown", "shutdown", "closed", "closed"])
        }
    }

    @Test func theGracePeriodEndsWhatDoesNotEndItself() async throws {
        try await TestServer.with({ $0.gracePeriod = .milliseconds(100) }) { server in
            let client = try await server.connect()
            let id = await client.open("/test/Stubborn")
            await client.perform { $0.send(id, [1]) }
            try await client.until { $0.session.streams[id]?.messages == [[1]] }
            await server.group.triggerGracefulShutdown()
            try await client.until { $0.isClosed }
            let events = await server.router.events.prefix(2).reduce(into: []) { $0.append($1) }
            #expect(events == ["shutdown", "closed"])
        }
    }

    @Test func cancellationClosesEverythingAtOnce() async throws {
        let client = try await TestServer.with({ $0.gracePeriod = .seconds(3600) }) { server in
            let client = try await server.connect()
            let id = await client.open("/test/Stubborn")
            await client.perform { $0.send(id, [1]) }
            try await client.until { $0.session.streams[id]?.messages == [[1]] }
            return client
        }
        try await client.until { $0.isClosed }
    }

    @Test func anAddressInUseIsReported() async throws {
        try await TestServer.with { server in
            let error = #expect(throws: SystemError.self) {
                _ = try RPCServer(
                    configuration: ServerConfiguration(bindAddress: server.address), loops: EventLoopGroup(count: 1),
                    router: server.router, logger: Logger(label: "test"))
            }
            #expect(error?.description == "bind \(server.address): Address already in use")
        }
    }

    @Test(arguments: ["/test/Echo", "/test/Stubborn"]) func anOldConnectionGoes(path: String) async throws {
        try await TestServer.with {
            $0.maximumConnectionAge = .milliseconds(300)
            $0.gracePeriod = .milliseconds(300)
        } _: { server in
            let client = try await server.connect()
            let id = await client.open(path)
            await client.perform { $0.send(id, [1]) }
            try await client.until { $0.session.streams[id]?.messages == [[1]] }
            try await client.until { $0.isClosed }
            let goAways = await client.perform { $0.goAways }
            #expect(goAways.first?.errorCode == 0)
            // One that lets go has its status; one that does not is cut off.
            let status = await client.perform { $0.streams[id]?.value("grpc-status") }
            #expect(status == (path == "/test/Echo" ? "14" : nil))
        }
    }
}
