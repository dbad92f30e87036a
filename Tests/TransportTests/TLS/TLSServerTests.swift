import Foundation
import GRPC
import Glibc
import Logging
import RPCTestClient
import Testing

@testable import Transport

/// TLS on the port, as clients see it.
@Suite(.timeLimit(.minutes(2))) struct TLSServerTests {
    /// Who the server takes the client of `options` for.
    private func name(_ server: TestServer, _ options: ClientTLS.Options) async throws -> String? {
        let client = try await server.connect(tls: options)
        let id = await client.open("/test/Who")
        try await client.until { $0.isClosed || $0.session.streams[id]?.isEnded == true }
        let name = await client.perform { $0.streams[id]?.value("grpc-message") }
        await client.close()
        return name
    }

    @Test func messagesOfEverySizeComeBack() async throws {
        let stage = try TLSStage()
        try await TestServer.with(tls: stage.server) { server in
            let client = try await server.connect(tls: stage.client(TLSStage.template()))
            let id = await client.open("/test/Echo")
            for count in [0, 1, 100, 16 * 1024 - 5, 16 * 1024, 300_000, 3_000_000] {
                let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
                await client.perform { $0.send(id, message) }
                try await client.until { $0.session.streams[id]?.messages.last == message }
            }
        }
    }

    @Test(arguments: [true, false]) func aSlowReaderGetsEverythingInTheEnd(updatesWindows: Bool) async throws {
        let stage = try TLSStage()
        try await TestServer.with(loops: 1, tls: stage.server) { server in
            var events = server.router.events.makeAsyncIterator()
            let options = try stage.client(TLSStage.template())
            let slow = try await server.connect(updatesWindows: updatesWindows, tls: options)
            let id = await slow.open("/test/Flood")
            await slow.perform { $0.send(id, [1]) }
            try await slow.until { !($0.session.streams[id]?.sections.isEmpty ?? true) }
            await slow.read(false)
            #expect(await events.next()?.hasPrefix("left ") == true)
            let other = try await server.connect(tls: options)
            let echo = await other.open("/test/Echo")
            await other.perform { $0.send(echo, [3]) }
            try await other.until { $0.session.streams[echo]?.messages == [[3]] }
            guard updatesWindows else { return }
            await slow.read(true)
            try await slow.until { $0.session.streams[id]?.messages.count == TestReceiver.floodCount }
        }
    }

    @Test func theClientIsWhomItsCertificateNames() async throws {
        let stage = try TLSStage()
        try await TestServer.with(tls: stage.server) { server in
            let names: [CertificateTemplate.Name] = [
                .uri("spiffe://cluster.local/ns/default/sa/envoy"), .dns("e.default"), .address("10.0.0.1"),
            ]
            let found = try await name(server, stage.client(TLSStage.template(names)))
            #expect(found == "[spiffe://cluster.local/ns/default/sa/envoy e.default]")
            #expect(try await name(server, stage.client(TLSStage.template([]))) == "[]")
        }
    }

    @Test func withoutAuthoritiesNobodyIsAsked() async throws {
        let stage = try TLSStage(asksForCertificates: false)
        try await TestServer.with(tls: stage.server) { server in
            for options in [try stage.client(), try stage.client(TLSStage.template())] {
                #expect(try await name(server, options) == "unknown")
            }
        }
    }

    enum Stranger: String, CaseIterable { case none, otherAuthority, selfSigned, expired, early, serverCertificate }

    @Test(arguments: Stranger.allCases) func strangersAreRefusedBeforeAnyRequest(_ stranger: Stranger) async throws {
        let stage = try TLSStage()
        let metrics = TLSMetrics()
        let other = try TLSStage.newAuthority()
        let now = TLSStage.now
        var options: ClientTLS.Options
        let reason: String
        switch stranger {
        case .none: (options, reason) = (try stage.client(), "peer did not return a certificate")
        case .otherAuthority:
            (options, reason) = (try stage.client(TLSStage.template(), by: other), "unable to get local issuer certificate")
        case .selfSigned:
            options = try stage.client(TLSStage.template())
            try stage.write("self.crt", other.pair.certificate)
            try stage.write("self.key", other.pair.key)
            options.certificate = stage.path("self.crt")
            options.key = stage.path("self.key")
            reason = "self-signed certificate"
        case .expired: (options, reason) = (try stage.client(TLSStage.template(validUntil: now - 10)), "has expired")
        case .early:
            (options, reason) = (try stage.client(TLSStage.template(validFrom: now + 600)), "not yet valid")
        case .serverCertificate:
            (options, reason) = (try stage.client(TLSStage.template(usage: .server)), "unsuitable certificate purpose")
        }
        try await TestServer.with(tls: stage.server, metrics: metrics) { server in
            let client = try await server.connect(tls: options)
            let id = await client.open("/test/Who")
            try await client.until { $0.isClosed }
            #expect(await client.perform { $0.streams[id]?.sections.isEmpty } == true)
            let line = await server.lines.stream.first { _ in true } ?? ""
            #expect(line.hasPrefix("info 127.0.0.1:") && line.contains(reason), "\(line)")
            #expect(metrics.refusalCount == 1)
            #expect(metrics.handshakeCount == 0)
            // Others are served.
            #expect(try await name(server, stage.client(TLSStage.template([.dns("a.b")]))) == "[a.b]")
            #expect(metrics.handshakeCount == 1)
        }
    }

    @Test(arguments: [
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), Array("GET / HTTP/1.1\r\n\r\n".utf8), [0], [0x80, 0x2E, 1, 0, 2],
    ]) func plaintextIsClosedWithOneLine(bytes: [UInt8]) async throws {
        let stage = try TLSStage()
        try await TestServer.with(tls: stage.server) { server in
            let client = try await TestClient(server.address, speaksHTTP2: false)
            await client.sendRaw(bytes)
            try await client.until { $0.isClosed }
            #expect(await client.state { $0.rawInput } == [])
            let line = await server.lines.stream.first { _ in true } ?? ""
            #expect(line.hasSuffix("plaintext arrived where TLS is spoken: turn TLS on in the client"), "\(line)")
        }
    }

    @Test func tlsOnThePlaintextPortIsClosedWithOneLine() async throws {
        let stage = try TLSStage()
        try await TestServer.with { server in
            let client = try await server.connect(tls: stage.client())
            try await client.until { $0.isClosed }
            let line = await server.lines.stream.first { _ in true } ?? ""
            #expect(line.contains("a TLS handshake arrived where plaintext HTTP/2 is spoken"), "\(line)")
        }
    }

    @Test(arguments: [[], [22, 3, 1, 1, 0]]) func aHandshakeMustBeDoneInTime(bytes: [UInt8]) async throws {
        let stage = try TLSStage()
        try await TestServer.with(tls: stage.server) {
            $0.prefaceTimeout = .milliseconds(200)
        } _: { server in
            let client = try await TestClient(server.address, speaksHTTP2: false)
            await client.sendRaw(bytes)
            try await client.until { $0.isClosed }
            let line = await server.lines.stream.first { _ in true } ?? ""
            #expect(line.hasSuffix("no HTTP/2 preface within the time limit"), "\(line)")
        }
    }

    @Test func garbageInAHandshakeIsRefused() async throws {
        let stage = try TLSStage()
        try await TestServer.with(tls: stage.server) { server in
            for count in [1, 100, 20_000] {
                let client = try await TestClient(server.address, speaksHTTP2: false)
                await client.sendRaw([22, 3, 1, 0x3F, 0xFF] + (0..<count).map { _ in UInt8.random(in: 0...255) })
                await client.finishSending()
                try await client.until { $0.isClosed }
            }
            #expect(try await name(server, stage.client(TLSStage.template([.dns("a.b")]))) == "[a.b]")
        }
    }

    /// Handshakes have a share of the loop's time, of which addresses have equal parts, and those who are connected have the rest.
    @Test func aFloodOfHandshakesHoldsUpItsOwnAddressOnly() async throws {
        let stage = try TLSStage()
        let count = 400
        try await TestServer.with(loops: 1, tls: stage.server) {
            // All of them would take a minute and a half.
            $0.handshakeShare = 0.002
        } _: { server in
            let options = try stage.client(TLSStage.template())
            let bystander = try await server.connect(tls: options)
            let echo = await bystander.open("/test/Echo")
            let hello = try ClientTLS.hello(options)
            let flood = (0..<count).map { _ in socket(server.address.family, CInt(SOCK_STREAM.rawValue), 0) }
            defer { for descriptor in flood { close(descriptor) } }
            for descriptor in flood {
                try #require(server.address.connect(descriptor) == 0)
                try #require(send(descriptor, hello, hello.count, CInt(MSG_NOSIGNAL)) == hello.count)
            }
            let late = try await TestClient(server.address, from: SocketAddress("127.0.0.2:0"), tls: options)
            let who = await late.open("/test/Who")
            try await late.until { $0.isClosed || $0.session.streams[who]?.isEnded == true }
            #expect(await late.perform { $0.streams[who]?.isEnded } == true)
            // It did not wait for them, and neither did who was there before.
            await bystander.perform { $0.send(echo, [1]) }
            try await bystander.until { $0.session.streams[echo]?.messages == [[1]] }
            var byte: UInt8 = 0
            let answered = flood.count { recv($0, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) > 0 }
            #expect(answered > 0 && answered < count, "\(answered) of \(count) were answered meanwhile")
        }
    }

    /// A client that is gone before its turn takes none.
    @Test func whoIsGoneBeforeItsTurnIsLetGo() async throws {
        let stage = try TLSStage()
        let metrics = TLSMetrics()
        try await TestServer.with(loops: 1, tls: stage.server, metrics: metrics) {
            $0.handshakeShare = 0.02
        } _: { server in
            let options = try stage.client(TLSStage.template())
            let hello = try ClientTLS.hello(options)
            for _ in 0..<200 {
                let client = try await TestClient(server.address, speaksHTTP2: false)
                await client.sendRaw(hello)
                await client.abort()
            }
            #expect(try await name(server, stage.client(TLSStage.template([.dns("a.b")]))) == "[a.b]")
            #expect(metrics.handshakeCount == 1)
        }
    }

    // MARK: - New files

    @Test func newFilesAreForNewConnections() async throws {
        let stage = try TLSStage()
        let metrics = TLSMetrics()
        try await TestServer.with(tls: stage.server, metrics: metrics) { server in
            var lines = server.lines.stream.makeAsyncIterator()
            let before = try stage.client(TLSStage.template([.dns("before.x")]))
            let old = try await server.connect(tls: before)
            let id = await old.open("/test/Echo")
            await old.perform { $0.send(id, [1]) }
            try await old.until { $0.session.streams[id]?.messages == [[1]] }

            // Another authority of clients, by a swapped link.
            let other = try TLSStage.newAuthority()
            try stage.mount(try stage.serverPair(), authorities: other.pair.certificate)
            #expect(await lines.next() == "notice files ")
            #expect(metrics.reloadCount == 1)
            let after = try stage.client(TLSStage.template([.dns("after.x")]), by: other)
            #expect(try await name(server, after) == "[after.x]")
            #expect(try await name(server, before) == nil)
            // The connection that was there stays.
            await old.perform { $0.send(id, [2]) }
            try await old.until { $0.session.streams[id]?.messages == [[1], [2]] }
        }
    }

    enum Breakage: String, CaseIterable { case otherKey, noCertificate, torn, noAuthorities, gone, encrypted }

    @Test(arguments: Breakage.allCases) func brokenFilesKeepTheOldOnes(_ breakage: Breakage) async throws {
        let stage = try TLSStage()
        let metrics = TLSMetrics()
        try await TestServer.with(tls: stage.server, metrics: metrics) { server in
            var lines = server.lines.stream.makeAsyncIterator()
            let (good, other) = (try stage.serverPair(), try stage.serverPair())
            let authorities = stage.authority.pair.certificate
            switch breakage {
            case .otherKey:
                try stage.mount(CertificatePair(certificate: good.certificate, key: other.key), authorities: authorities)
            case .noCertificate: try stage.mount(CertificatePair(certificate: [], key: good.key), authorities: authorities)
            case .torn:
                let half = Array(good.certificate.prefix(good.certificate.count / 2))
                try stage.mount(CertificatePair(certificate: good.certificate + half, key: good.key), authorities: authorities)
            case .noAuthorities: try stage.mount(good, authorities: Array("# nobody\n".utf8))
            case .gone: try FileManager.default.removeItem(atPath: stage.path("..data"))
            case .encrypted:
                let key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
                try stage.mount(
                    CertificatePair(certificate: good.certificate, key: Array(key.utf8)), authorities: authorities)
            }
            let line = await lines.next() ?? ""
            #expect(line.hasPrefix("error  \(breakage == .gone ? "open " : stage.directory)"), "\(line)")
            #expect(metrics.failedReloadCount == 1)
            let client = try stage.client(TLSStage.template([.dns("a.b")]))
            #expect(try await name(server, client) == "[a.b]")
            if breakage == .gone {
                try FileManager.default.createSymbolicLink(atPath: stage.path("..data"), withDestinationPath: "..nowhere")
            }
            try stage.mount(other, authorities: authorities)
            #expect(await lines.next() == "notice files ")
            #expect(try await name(server, client) == "[a.b]")
        }
    }

    @Test func aServerDoesNotBeginWithBrokenFiles() throws {
        let stage = try TLSStage()
        try stage.mount(CertificatePair(certificate: [1], key: [2]), authorities: [])
        #expect(throws: TLSFiles.Fault.self) {
            try TLSCredentials(stage.server, logger: Logger(label: "test"))
        }
    }
}
