import FoundationEssentials
import KubeAPISimulator
import TestKit
import Testing

struct WatchTests {
    private let simulator: KubeAPISimulator

    init() throws { simulator = try startSimulator() }

    private func watch(_ query: String, path: String = pods) throws -> StreamClient {
        try StreamClient(simulator.address, path + "?watch=true&" + query)
    }

    @Test func followsFromAVersion() async throws {
        try simulator.create(pod("before"))
        let client = try watch("resourceVersion=\(simulator.resourceVersion)")
        try simulator.create(pod("a"))
        try simulator.patch("Pod", "a", ["status": ["phase": "Running"]], subresource: "status")
        try simulator.delete("Pod", "a")
        let text = try await client.wait(for: "DELETED")
        #expect(text.contains("\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":"))
        #expect(text.contains("MODIFIED"))
        #expect(!text.contains("before"))
    }

    @Test func tellsWhatEntersAndLeavesASelection() async throws {
        let client = try watch("resourceVersion=\(simulator.resourceVersion)&labelSelector=app%3Dx")
        try simulator.create(pod("a"))
        try simulator.patch("Pod", "a", ["metadata": ["labels": ["app": "x"]]])
        try simulator.patch("Pod", "a", ["metadata": ["labels": ["app": "y"]]])
        let text = try await client.wait(for: "DELETED")
        #expect(text.components(separatedBy: "\"type\"").count == 3)
        #expect(!text.contains("\"app\":\"y\""))
    }

    @Test func streamsListsUpToTheirMarkedEnd() async throws {
        try simulator.create(pod("a"))
        let client = try watch(
            "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=")
        let text = try await client.wait(for: "k8s.io/initial-events-end")
        #expect(text.contains("\"type\":\"ADDED\"") && text.contains("\"type\":\"BOOKMARK\""))
        try simulator.create(pod("b"))
        try await client.wait(for: "\"name\":\"b\"")
    }

    @Test(arguments: [
        ("sendInitialEvents=true&allowWatchBookmarks=true", 422), ("resourceVersionMatch=NotOlderThan&resourceVersion=1", 422),
        ("resourceVersion=x", 400),
    ])
    func refuses(query: String, code: Int) async throws {
        try await watch(query).wait(for: "HTTP/1.1 \(code) ")
    }

    @Test(arguments: [400, 422])
    func refusesStreamingListsLikeOldServers(code: Int) async throws {
        simulator.refuseStreamingLists(with: code)
        try await watch("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true").wait(
            for: "HTTP/1.1 \(code) ")
    }

    @Test func answersOldVersionsByAnEvent() async throws {
        let version = simulator.resourceVersion
        try simulator.create(pod("a"))
        simulator.compact()
        let text = try await watch("resourceVersion=\(version)").wait(for: "0\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 200 "))
        #expect(text.contains("{\"type\":\"ERROR\",\"object\":{") && text.contains("\"reason\":\"Expired\""))
    }

    @Test func endsAtItsTimeoutAndKeepsTheConnection() async throws {
        let client = try watch("timeoutSeconds=1&resourceVersion=\(simulator.resourceVersion)")
        try await client.wait(for: "0\r\n\r\n")
        #expect(!client.answer.value.isClosed)
    }

    @Test func sendsBookmarksWhenTheyAreDue() async throws {
        let client = try watch("allowWatchBookmarks=true&resourceVersion=\(simulator.resourceVersion)")
        _ = try await simulator.requests.wait(for: "the watch", within: .seconds(10)) { $0.openWatches["pods"] == 1 ? true : nil }
        simulator.advanceResourceVersion(by: 7)
        let version = simulator.resourceVersion
        try await simulator.disturbWatches(.bookmark)
        try await client.wait(for: "\"type\":\"BOOKMARK\"")
        #expect(client.answer.value.text.contains("\"resourceVersion\":\"\(version)\""))
    }

    @Test func showsTables() async throws {
        let client = try StreamClient(
            simulator.address, virtualServices + "?watch=true",
            headers: ["Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"])
        try simulator.create(virtualService("a"))
        try simulator.patch(
            "VirtualService", "a",
            [
                "status": [
                    "envoys": "2/2",
                    "conditions": [
                        [
                            "type": "Programmed", "status": "True", "reason": "R", "message": "",
                            "lastTransitionTime": "2026-01-01T00:00:00Z",
                        ]
                    ],
                ]
            ], subresource: "status")
        let text = try await client.wait(for: "\"2/2\",\"True\"")
        #expect(text.components(separatedBy: "columnDefinitions\":[").count == 2)
    }
}
