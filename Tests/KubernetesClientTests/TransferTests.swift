import Kubernetes
import KubernetesClient
import TestKit
import Testing

private typealias Action = ScriptedServer.Action

/// Requests, answers and streams as libcurl carries them.
@Suite(.timeLimit(.minutes(2))) struct TransferTests {
    private func client(_ server: ScriptedServer, _ change: (inout CurlAPIClient.Configuration) -> Void = { _ in }) throws
        -> CurlAPIClient
    {
        var configuration = CurlAPIClient.Configuration()
        change(&configuration)
        let url = ServerURL(scheme: "http", host: "127.0.0.1", port: server.port, basePath: "/base")
        return CurlAPIClient(cluster: ClusterConfiguration(server: url), loop: try CurlLoop(), configuration: configuration)
    }

    @Test(arguments: [APIRequest.Method.get, .post, .put, .patch, .delete]) func `a request arrives as it was made`(
        method: APIRequest.Method
    ) async throws {
        let server = try ScriptedServer { _ in Action.answer(201, "made", type: "text/plain", headers: "X-Name:  some thing \r\n")
        }
        let body = method == .get ? [] : Array("{\"é\":1}".utf8)
        let response = try await client(server).send(
            APIRequest(
                method, "/a b/c", query: [(name: "x y", value: "1&2=é/")], contentType: "application/merge-patch+json",
                accept: "x/y",
                body: body))
        #expect(response.status == 201 && response.isSuccess)
        #expect(response[header: "x-name"] == "some thing")
        #expect(response.body == Array("made".utf8))
        let request = try #require(server.requests.value.first)
        #expect(request.method == method.rawValue)
        #expect(request.target == "/base/a%20b/c?x%20y=1%262%3D%C3%A9%2F")
        #expect(request.headers["content-type"] == "application/merge-patch+json")
        #expect(request.headers["accept"] == "x/y")
        #expect(request.headers["expect"] == nil)
        #expect(request.body == body)
    }

    @Test func `requests share a connection, without a redirect being followed`() async throws {
        let server = try ScriptedServer { _ in Action.answer(302, "", headers: "Location: /elsewhere\r\n") }
        let client = try client(server)
        for _ in 0..<3 { #expect(try await client.send(APIRequest(.get, "/")).status == 302) }
        #expect(server.requests.value.map(\.connection) == [0, 0, 0])
    }

    @Test func `13 requests go through the proxy`() async throws {
        let proxy = try ScriptedServer { _ in Action.answer(200, "ok") }
        var cluster = ClusterConfiguration(server: ServerURL(scheme: "http", host: "api.internal", port: 8001))
        cluster.proxy = "http://127.0.0.1:\(proxy.port)"
        let client = CurlAPIClient(cluster: cluster, loop: try CurlLoop())
        #expect(try await client.send(APIRequest(.get, "/api")).status == 200)
        #expect(proxy.requests.value.map(\.target) == ["http://api.internal:8001/api"])
    }

    @Test func `interim answers are passed over`() async throws {
        let server = try ScriptedServer { _ in
            [.text("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")] + Action.answer(200, "ok")
        }
        let response = try await client(server).send(APIRequest(.get, "/"))
        #expect(response.status == 200 && response[header: "x-early"] == nil)
    }

    @Test func `10 what does not answer in time is a timeout, and the next request distrusts the connection`() async throws {
        let server = try ScriptedServer { request in
            request.target == "/base/slow"
                ? [.text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), .hold] : Action.answer(200, "ok")
        }
        // Long enough for the quick requests on a machine that is busy.
        let client = try client(server) { $0.requestTimeout = .seconds(3) }
        #expect(try await client.send(APIRequest(.get, "/quick")).status == 200)
        let error = await #expect(throws: APITransportError.self) { try await client.send(APIRequest(.get, "/slow")) }
        #expect(error?.isTimeout == true)
        #expect(error?.description.contains("GET http://127.0.0.1:\(server.port)/base/slow") == true)
        #expect(try await client.send(APIRequest(.get, "/quick")).status == 200)
        #expect(server.requests.value.map(\.connection) == [0, 0, 1])
    }

    @Test func `a server that is not there is named`() async throws {
        let client = CurlAPIClient(
            cluster: ClusterConfiguration(server: ServerURL(scheme: "http", host: "127.0.0.1", port: 1)), loop: try CurlLoop())
        let error = await #expect(throws: APITransportError.self) { try await client.send(APIRequest(.get, "/api")) }
        #expect(error?.description.contains("127.0.0.1") == true && error?.isTimeout == false)
    }

    @Test func `an answer that is too large is refused`() async throws {
        let server = try ScriptedServer { _ in Action.answer(200, String(repeating: "x", count: 2000)) }
        let client = try client(server) { $0.bodyLimit = 1000 }
        let error = await #expect(throws: APITransportError.self) { try await client.send(APIRequest(.get, "/")) }
        #expect(error?.description.contains("larger than 1000 bytes") == true)
    }

    @Test func `a body that breaks off is an error`() async throws {
        let server = try ScriptedServer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), .close] }
        let client = try client(server)
        await #expect(throws: APITransportError.self) { try await client.send(APIRequest(.get, "/")) }
    }

    @Test func `a reader that does not read makes the server wait`() async throws {
        let size = 64 << 20
        let isSent = Observed(false)
        let server = try ScriptedServer { _ in
            [
                .text("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"), .send([UInt8](repeating: 0x78, count: size)),
                .tell(isSent),
            ]
        }
        let client = try client(server)
        let stream = try await client.stream(APIRequest(.get, "/"), timeout: .seconds(60))
        // Other requests of the same thread go on meanwhile, and none of them lets the server finish.
        for _ in 0..<5 { _ = try await client.stream(APIRequest(.get, "/other"), timeout: .seconds(60)).close() }
        var total = 0
        var largest = 0
        while let bytes = try await stream.next() {
            if total == 0 { #expect(!isSent.value) }
            total += bytes.count
            largest = max(largest, bytes.count)
        }
        #expect(total == size)
        #expect(largest <= 512 << 10)
    }

    @Test func `closing a stream closes its connection`() async throws {
        let server = try ScriptedServer { _ in [Action.head(), .chunk("a"), .hold] }
        let stream = try await client(server).stream(APIRequest(.get, "/"), timeout: .seconds(60))
        #expect(try await stream.next() == [0x61])
        stream.close()
        _ = try await server.abandoned.wait(for: "the client to close", within: .seconds(20)) { $0 == 1 ? $0 : nil }
        await #expect(throws: CancellationError.self) { try await stream.next() }
    }

    @Test func `cancelling a task aborts its request`() async throws {
        let server = try ScriptedServer { _ in [.hold] }
        let client = try client(server)
        await withThrowingTaskGroup { group in
            group.addTask { try await client.send(APIRequest(.get, "/")) }
            _ = try? await server.requests(1)
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
        _ = try await server.abandoned.wait(for: "the client to close", within: .seconds(20)) { $0 == 1 ? $0 : nil }
    }

    @Test func `many streams share one thread`() async throws {
        let server = try ScriptedServer { request in [Action.head(), .chunk(request.target), .hold] }
        let client = try client(server)
        try await withThrowingTaskGroup { group in
            for index in 0..<20 {
                group.addTask {
                    let stream = try await client.stream(APIRequest(.get, "/\(index)"), timeout: .seconds(60))
                    defer { stream.close() }
                    #expect(try await stream.next() == Array("/base/\(index)".utf8))
                }
            }
            try await group.waitForAll()
        }
    }
}
