import Foundation
import KubeAPISimulator
import Synchronization
import TestKit

/// An API server in a process of its own, which can be killed and comes back with the objects that it had.
final class ServerProcess: ObjectStore {
    private struct State {
        var child: ChildProcess?
        /// What is written while it is away, and what it had.
        var objects: [JSONValue] = []
    }

    private static let collections = [
        (
            path: "/apis/servicemesh.l7mp.io/v1", resource: "virtualservices", apiVersion: "servicemesh.l7mp.io/v1",
            kind: "VirtualService"
        ),
        (path: "/api/v1", resource: "pods", apiVersion: "v1", kind: "Pod"),
    ]

    private let ground: LoopbackReservation
    private let address: SocketAddress
    private let definitions: [JSONValue]
    private let directory: TemporaryDirectory
    private let state = Mutex(State())

    var operatorOptions: [String] { ["--kubeconfig", directory.path(of: "kubeconfig")] }

    /// Starts it with the definition in the file `definition`.
    init(definition: String) async throws {
        ground = try LoopbackReservation()
        address = SocketAddress("127.0.0.1", try ground.port())
        directory = try TemporaryDirectory(named: "server")
        definitions = try JSONValue.documents(yaml: String(contentsOfFile: definition, encoding: .utf8))
        try await start()
    }

    /// Starts it with what it had and what was written since.
    func start() async throws {
        let file = directory.path(of: "objects.yaml")
        let text = state.withLock { state in (definitions + state.objects).map(\.encodedText).joined(separator: "\n---\n") }
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let child = try await ChildProcess.start(
            name: "kube-api-simulator",
            [
                try Programs.built("kube-api-simulator"), "--bind-address", "\(address)", "--object", file, "--kubeconfig-out",
                directory.path(of: "kubeconfig"),
            ])
        try await child.line("its address") { $0.contains("listening on") ? () : nil }
        state.withLock { $0.child = child }
    }

    /// Kills it; what it has at that moment is what it comes back with.
    func kill() async throws {
        var objects: [JSONValue] = []
        for collection in Self.collections {
            let answer = try await httpGet("\(collection.path)/\(collection.resource)", from: address)
            for var object in try JSONValue(parsing: Array(answer.body.utf8))["items"]?.elements ?? [] {
                // Items of a list don't say what they are.
                object["apiVersion"] = .string(collection.apiVersion)
                object["kind"] = .string(collection.kind)
                objects.append(object)
            }
        }
        let child = state.withLock { state in
            defer { state.child = nil }
            state.objects = objects
            return state.child
        }
        child?.signal(9)
        _ = try await child?.awaitEnd(within: .seconds(10))
    }

    /// Ends it for good.
    func end() async throws {
        let child = state.withLock { $0.child }
        try await child?.stop()
    }

    /// Objects are only ever made here.
    func write(_ name: String, _ text: String) throws {
        for var object in try JSONValue.documents(yaml: text) {
            guard let collection = Self.collections.first(where: { $0.kind == object["kind"]?.text }) else { continue }
            let isAway = state.withLock { state in
                if state.child == nil {
                    object["metadata", "uid"] = .string(UUID().uuidString.lowercased())
                    object["metadata", "creationTimestamp"] = "2026-01-01T00:00:00Z"
                    object["metadata", "generation"] = 1
                    state.objects.append(object)
                }
                return state.child == nil
            }
            guard !isAway else { continue }
            let path = "\(collection.path)/namespaces/default/\(collection.resource)"
            let answer = try exchange("POST", path, with: address, body: object.encoded)
            guard answer.status == 201 else {
                throw UnexpectedCourse(description: "POST \(path): \(answer.status) \(answer.body)")
            }
            try writeStatus(of: object, path)
        }
    }

    /// What a kubelet says of a pod: an object is created without a status.
    private func writeStatus(of object: JSONValue, _ path: String) throws {
        guard let status = object["status"], let name = object["metadata", "name"]?.text else { return }
        let answer = try exchange(
            "PATCH", "\(path)/\(name)/status", with: address, contentType: "application/merge-patch+json",
            body: JSONValue.object(["status": status]).encoded)
        guard answer.status == 200 else { throw UnexpectedCourse(description: "PATCH \(path)/\(name)/status: \(answer.body)") }
    }

    func remove(_ name: String) throws {
        throw UnexpectedCourse(description: "\(name) is not meant to be removed")
    }
}
