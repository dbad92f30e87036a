import Domain
import Kubernetes
import KubernetesClient
import TestKit
import Testing

private typealias Action = ScriptedServer.Action

/// Requirements 1 to 11, 18 and 19 through a real connection.
@Suite(.timeLimit(.minutes(2))) struct WatchTests {
    @Test func `1 lists page by page, then watches from the list's version`() async throws {
        let rig = try Rig(.pods) { request in
            if request[query: "watch"] != nil { return [Action.head(), .chunk(PodText.event("ADDED", PodText.pod("c"))), .hold] }
            return request[query: "continue"] == nil
                ? Action.answer(200, PodText.list("5", ["a"], more: "t 1")) : Action.answer(200, PodText.list("5", ["b"]))
        }
        try await rig.run {
            let events = try await rig.recorder.events(5)
            #expect(events == ["restarted", "applied ns/a", "applied ns/b", "synced", "applied ns/c"])
            let requests = try await rig.server.requests(3)
            #expect(requests[0].target == "/api/v1/pods?limit=500")
            #expect(requests[1][query: "continue"] == "t%201")
            #expect(requests[2][query: "resourceVersion"] == "5")
            #expect(requests[2][query: "allowWatchBookmarks"] == "true")
            #expect(requests[2][query: "timeoutSeconds"] == "450")
        }
        #expect(rig.metrics.lists == 1 && rig.metrics.watchStarts == 1 && rig.metrics.events == 1 && rig.metrics.errors == 0)
        #expect(rig.metrics.bytes > 100)
    }

    @Test(arguments: [true, false]) func `2 410 leads to a list that deletes what vanished`(asEvent: Bool) async throws {
        let watches = Observed(0)
        let rig = try Rig(.pods) { request in
            if request[query: "watch"] == nil {
                return Action.answer(200, PodText.list("5", request[query: "resourceVersion"] == nil ? ["a", "b"] : ["b"]))
            }
            let number = watches.update { count in
                count += 1
                return count
            }
            if number > 1 { return [Action.head(), .hold] }
            return asEvent
                ? [Action.head(), .chunk(PodText.event("ERROR", PodText.status(410, "Expired"))), .hold]
                : Action.answer(410, PodText.status(410, "Expired"))
        }
        try await rig.run {
            let events = try await rig.recorder.events(7)
            #expect(events == ["restarted", "applied ns/a", "applied ns/b", "synced", "restarted", "applied ns/b", "synced"])
            let requests = try await rig.server.requests(4)
            #expect(requests[2][query: "resourceVersion"] == "5")
            #expect(requests[2][query: "resourceVersionMatch"] == "NotOlderThan")
        }
        #expect(rig.metrics.relists == 1)
    }

    @Test func `3 4 versions that the server can't serve are given up`() async throws {
        let tooLarge = #"{"kind":"Status","code":504,"details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}}"#
        let rig = try Rig(.pods) { request in
            if request[query: "watch"] != nil { return Action.answer(410, PodText.status(410, "Gone")) }
            if request[query: "resourceVersion"] != nil { return Action.answer(504, tooLarge) }
            if request[query: "continue"] != nil { return Action.answer(410, PodText.status(410, "Expired")) }
            return Action.answer(200, PodText.list("5", ["a"], more: request.connection == 0 ? "" : "t"))
        }
        try await rig.run {
            let requests = try await rig.server.requests(4)
            #expect(requests[2][query: "resourceVersion"] == "5")
            #expect(requests[3].target == "/api/v1/pods?limit=500")
        }
    }

    @Test func `4 a continue token that expired begins the list again`() async throws {
        let first = Observed(true)
        let rig = try Rig(.pods) { request in
            if request[query: "watch"] != nil { return [Action.head(), .hold] }
            if request[query: "continue"] == "old" { return Action.answer(410, PodText.status(410, "Expired")) }
            // After the refusal the list has moved on, and needs one page.
            return Action.answer(
                200,
                first.update { isFirst in
                    defer { isFirst = false }
                    return isFirst ? PodText.list("5", ["a"], more: "old") : PodText.list("6", ["b"])
                })
        }
        try await rig.run {
            let events = try await rig.recorder.events(5)
            #expect(events == ["restarted", "applied ns/a", "restarted", "applied ns/b", "synced"])
            let requests = try await rig.server.requests(4)
            #expect(requests[2].target == "/api/v1/pods?limit=500")
            #expect(requests[3][query: "resourceVersion"] == "6")
        }
    }

    @Test func `5 a bookmark is what a broken watch resumes from`() async throws {
        let rig = try Rig(.pods) { request in
            if request[query: "watch"] == nil { return Action.answer(200, PodText.list("5", [])) }
            return request[query: "resourceVersion"] == "9"
                ? [Action.head(), .hold] : [Action.head(), .chunk(PodText.bookmark("9")), .close]
        }
        try await rig.run {
            let requests = try await rig.server.requests(3)
            #expect(requests[2][query: "resourceVersion"] == "9")
            #expect(rig.recorder.events.value == ["restarted", "synced"])
        }
    }

    @Test func `6 a streaming list is synced at its end and goes on as a watch`() async throws {
        let rig = try Rig(.pods, streaming: true) { request in
            [
                Action.head(), .chunk(PodText.event("ADDED", PodText.pod("a"))), .chunk(PodText.bookmark("5", isEnd: true)),
                .chunk(PodText.event("DELETED", PodText.pod("a", version: "6"))), .hold,
            ]
        }
        try await rig.run {
            let events = try await rig.recorder.events(4)
            #expect(events == ["restarted", "applied ns/a", "synced", "deleted ns/a"])
            let requests = try await rig.server.requests(1)
            #expect(requests[0][query: "sendInitialEvents"] == "true")
            #expect(requests[0][query: "resourceVersion"] == nil)
        }
        #expect(rig.metrics.lists == 1)
    }

    @Test(arguments: [400, 403, 422]) func `6 an old server gets a list in pages`(code: Int) async throws {
        let rig = try Rig(.pods, streaming: true) { request in
            if request[query: "sendInitialEvents"] != nil { return Action.answer(code, PodText.status(code, "Invalid")) }
            return request[query: "watch"] == nil ? Action.answer(200, PodText.list("5", ["a"])) : [Action.head(), .hold]
        }
        defer { #expect(rig.metrics.errors == 0) }
        try await rig.run {
            let events = try await rig.recorder.events(3)
            #expect(events == ["restarted", "applied ns/a", "synced"])
        }
    }

    @Test func `6 without its end a streaming list is given up at the deadline`() async throws {
        let time = TestTime(skipping: .seconds(1))
        var rig = try Rig(.pods, time: time, streaming: true) { request in
            if request[query: "sendInitialEvents"] != nil {
                return [Action.head(), .chunk(PodText.event("ADDED", PodText.pod("a"))), .hold]
            }
            return request[query: "watch"] == nil ? Action.answer(200, PodText.list("5", ["b"])) : [Action.head(), .hold]
        }
        rig.configuration.initialEventsDeadline = .seconds(20)
        let playing = rig
        try await playing.run {
            _ = try await playing.recorder.events(2)
            try await time.awaitSleep(of: .seconds(20))
            time.advance(by: .seconds(20))
            let events = try await playing.recorder.events(5)
            #expect(events == ["restarted", "applied ns/a", "restarted", "applied ns/b", "synced"])
            _ = try await playing.server.abandoned.wait(for: "the client to close", within: .seconds(20)) { $0 >= 1 ? $0 : nil }
        }
    }

    @Test func `7 a watch that ends is no error`() async throws {
        let rig = try Rig(.pods) { request in
            if request[query: "watch"] == nil { return Action.answer(200, PodText.list("5", [])) }
            return request[query: "resourceVersion"] == "5"
                ? [Action.head(), .chunk(PodText.event("ADDED", PodText.pod("a", version: "6"))), .end] : [Action.head(), .hold]
        }
        try await rig.run {
            let requests = try await rig.server.requests(3)
            #expect(requests[2][query: "resourceVersion"] == "6")
            #expect(requests[2].connection == requests[0].connection)
        }
        // The second ends with the run, if its answer has begun by then.
        #expect((1...2).contains(rig.metrics.watchEnds))
        #expect(rig.metrics.errors == 0 && rig.time.sleeps.allSatisfy { $0 > .seconds(1) })
    }

    @Test func `8 429 waits as asked and keeps the version`() async throws {
        let rig = try Rig(.pods) { request in
            if request[query: "watch"] == nil { return Action.answer(200, PodText.list("5", [])) }
            return request.connection == 0 && request[query: "timeoutSeconds"] != nil
                ? Action.answer(429, "busy", type: "text/plain", headers: "Retry-After: 17\r\n") : [Action.head(), .hold]
        }
        try await rig.run {
            let requests = try await rig.server.requests(3)
            #expect(requests.dropFirst().allSatisfy { $0[query: "resourceVersion"] == "5" && $0[query: "watch"] == "true" })
            #expect(rig.time.sleeps.contains(.seconds(17)))
        }
        #expect(rig.metrics.relists == 0)
    }

    @Test func `9 stale deletions, repeated and unknown events`() async throws {
        let events = [
            PodText.event("ADDED", PodText.pod("a")), PodText.event("ADDED", PodText.pod("a")),
            PodText.event("GLOWED", "[]"),
            PodText.event("DELETED", #"{"metadata":{"name":"a","namespace":"ns"},"status":{"podIP":"x"}}"#),
        ]
        let rig = try Rig(.pods) { request in
            request[query: "watch"] == nil
                ? Action.answer(200, PodText.list("5", [])) : [Action.head(), .chunk(events.joined()), .hold]
        }
        try await rig.run {
            let events = try await rig.recorder.events(5)
            #expect(events == ["restarted", "synced", "applied ns/a", "applied ns/a", "deleted ns/a"])
        }
    }

    @Test func `9 an invalid object is withdrawn and reported, and others are not disturbed`() async throws {
        let bad = PodText.pod("a", version: "7", text: #","status":{"podIP":"nonsense"}"#)
        let rig = try Rig(.pods) { request in
            request[query: "watch"] == nil
                ? Action.answer(200, PodText.list("5", ["a"]))
                : [
                    Action.head(), .chunk(PodText.event("MODIFIED", bad) + PodText.event("MODIFIED", bad)),
                    .chunk(PodText.event("ADDED", PodText.pod("b")) + PodText.event("MODIFIED", PodText.pod("a", version: "8"))),
                    .hold,
                ]
        }
        try await rig.run {
            let events = try await rig.recorder.events(9)
            #expect(
                events == [
                    "restarted", "applied ns/a", "synced", "invalid ns/a u-a 0 status.podIP", "deleted ns/a", "deleted ns/a",
                    "applied ns/b", "valid ns/a", "applied ns/a",
                ])
            #expect(rig.log.lines.value.filter { $0.contains("pods ns/a is not served: status.podIP") }.count == 1)
        }
    }

    @Test func `10 a half-open watch is given up and resumed by a new connection`() async throws {
        let time = TestTime(skipping: .seconds(1))
        let rig = try Rig(.pods, time: time) { request in
            request[query: "watch"] == nil ? Action.answer(200, PodText.list("5", [])) : [Action.head(), .hold]
        }
        try await rig.run {
            _ = try await rig.server.requests(2)
            // A timeout of 450 s by the clock's draw, and the slack.
            try await time.awaitSleep(of: .seconds(550))
            time.advance(by: .seconds(550))
            let requests = try await rig.server.requests(3)
            #expect(requests[2].connection != requests[1].connection)
            #expect(requests[2][query: "resourceVersion"] == "5")
            #expect(rig.log.lines.value.contains { $0.contains("half-open") })
        }
    }

    @Test func `10 a connection that breaks is replaced, and nothing is told meanwhile`() async throws {
        let rig = try Rig(.pods) { request in
            if request[query: "watch"] == nil { return Action.answer(200, PodText.list("5", ["a"])) }
            return request[query: "resourceVersion"] == "5"
                ? [
                    Action.head(), .chunk(PodText.event("ADDED", PodText.pod("b", version: "6"))), .text("40\r\n{\"type\":"),
                    .close,
                ]
                : [Action.head(), .chunk(PodText.event("ADDED", PodText.pod("c", version: "7"))), .hold]
        }
        try await rig.run {
            let events = try await rig.recorder.events(5)
            #expect(events == ["restarted", "applied ns/a", "synced", "applied ns/b", "applied ns/c"])
            let requests = try await rig.server.requests(3)
            #expect(requests[2][query: "resourceVersion"] == "6")
        }
        #expect(rig.metrics.errors == 1)
    }

    @Test func `11 one byte at a time`() async throws {
        let body = PodText.event("ADDED", PodText.pod("é€😀")) + PodText.event("DELETED", PodText.pod("b"))
        let rig = try Rig(.pods) { request in
            guard request[query: "watch"] != nil else {
                return [.trickle(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\(PodText.list("5", ["a"]))".utf8)), .close]
            }
            return [.trickle(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\(body)".utf8)), .hold]
        }
        try await rig.run {
            let events = try await rig.recorder.events(5)
            #expect(events == ["restarted", "applied ns/a", "synced", "applied ns/é€😀", "deleted ns/b"])
        }
    }

    @Test func `11 an event larger than any buffer`() async throws {
        let large = PodText.pod("a", text: #","spec":{"x":"\#(String(repeating: "y", count: 3_000_000))"}"#)
        let rig = try Rig(.pods) { request in
            request[query: "watch"] == nil
                ? Action.answer(200, PodText.list("5", [])) : [Action.head(), .chunk(PodText.event("ADDED", large)), .hold]
        }
        try await rig.run {
            let events = try await rig.recorder.events(3)
            #expect(events == ["restarted", "synced", "applied ns/a"])
        }
        #expect(rig.metrics.bytes > 3_000_000)
    }

    @Test func `18 pods in protobuf, over a connection`() async throws {
        let pod = Wire.message(1, Wire.text(1, "a") + Wire.text(3, "ns") + Wire.text(6, "6"))
        let list = Wire.envelope("PodList", Wire.message(1, Wire.text(2, "5")) + Wire.message(2, pod))
        let event = Wire.text(1, "DELETED") + Wire.message(2, Wire.message(1, Wire.envelope("Pod", pod)))
        let frame = [0, 0, 0, UInt8(event.count)] + event
        let type = "application/vnd.kubernetes.protobuf"
        let rig = try Rig(.pods) { request in
            guard request.headers["accept"]?.hasPrefix(type) == true else { return Action.answer(406, "") }
            if request[query: "watch"] == nil { return [Action.head(type: type), .chunk(list), .end] }
            return [
                Action.head(type: "\(type);stream=watch"), .chunk(Array(frame.prefix(9))), .chunk(Array(frame.dropFirst(9))),
                .hold,
            ]
        }
        try await rig.run {
            let events = try await rig.recorder.events(4)
            #expect(events == ["restarted", "applied ns/a", "synced", "deleted ns/a"])
        }
    }

    @Test func `19 one watch a namespace, synced once`() async throws {
        var rig = try Rig(.pods) { request in
            let namespace = request.path.split(separator: "/")[3]
            return request[query: "watch"] == nil
                ? Action.answer(200, PodText.list("5", ["p"], namespace: String(namespace))) : [Action.head(), .hold]
        }
        rig.namespaces = ["b", "a", "b"]
        let playing = rig
        try await playing.run {
            let events = try await playing.recorder.events(4)
            #expect(events.first == "restarted" && events.last == "synced")
            #expect(Set(events) == ["restarted", "applied a/p", "applied b/p", "synced"])
            let requests = try await playing.server.requests(4)
            #expect(requests.count == 4)
            #expect(Set(requests.map(\.path)) == ["/api/v1/namespaces/a/pods", "/api/v1/namespaces/b/pods"])
        }
    }

    @Test func `a denial names the verb and the resource, and is tried again`() async throws {
        let rig = try Rig(.virtualServices) { request in
            request.connection == 0 && request.target.contains("limit")
                ? Action.answer(403, PodText.status(403, "Forbidden", "User x cannot list"))
                : [Action.head(), .hold]
        }
        try await rig.run {
            _ = try await rig.server.requests(3)
            let line = try #require(rig.log.lines.value.first { $0.hasPrefix("error") })
            #expect(line.contains("grant the verb list on virtualservices.servicemesh.l7mp.io"))
            #expect(line.contains("User x cannot list"))
            #expect(rig.log.lines.value.filter { $0.hasPrefix("error") }.count == 1)
        }
    }

    @Test func `cancellation closes the connection and ends the source`() async throws {
        let rig = try Rig(.pods) { request in
            request[query: "watch"] == nil ? Action.answer(200, PodText.list("5", [])) : [Action.head(), .hold]
        }
        try await rig.run { _ = try await rig.server.requests(2) }
        _ = try await rig.server.abandoned.wait(for: "the client to close", within: .seconds(20)) { $0 == 1 ? $0 : nil }
    }
}
