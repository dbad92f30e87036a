import Foundation
import Glibc
import TestKit

extension Scene {
    /// Clients take every descriptor that the operator may have, then leave.
    func exhaustDescriptors(_ calls: inout NewCalls) async throws -> (Duration?, Duration) {
        let xdsOperator = stage.xdsOperator
        var clients: [ClientConnection] = []
        for _ in 0..<100 {
            let client = try await ClientConnection.open(to: xdsOperator.xds, from: "127.0.0.1")
            client.send(HTTP2Bytes.preface + HTTP2Bytes.settings)
            clients.append(client)
        }
        try await xdsOperator.child.line("a word about it") { $0.contains("No connection can be accepted") ? () : nil }
        try calls.write("meanwhile")
        let before = try xdsOperator.child.processorTime()
        let began = ContinuousClock.now
        try await awaitSent(600)
        let share = (try xdsOperator.child.processorTime() - before) / began.duration(to: .now)
        guard share < 0.25 else { throw UnexpectedCourse(description: "the operator keeps \(share) of a processor busy") }
        clients = []
        let start = ContinuousClock.now
        let recovery = try await calls.arrive(since: start)
        // It accepts again as well.
        let late = try await ClientConnection.open(to: xdsOperator.xds, from: "127.0.0.1")
        late.send(HTTP2Bytes.preface + HTTP2Bytes.settings)
        guard await late.isAnswered(within: .seconds(5)) else {
            throw UnexpectedCourse(description: "no connection is accepted after the others left")
        }
        return (nil, recovery)
    }

    /// An Envoy on a machine of its own is gone from one moment to the next; later there is another one.
    func loseOtherEnvoy(_ link: Link, _ network: NetworkNamespace, _ calls: inout NewCalls) async throws -> (Duration?, Duration)
    {
        let machine = try await NetworkNamespace()
        let cable = try await Link(from: machine, to: network, number: 124)
        try await machine.run(["ip", "route", "add", link.far, "via", cable.far])
        try stage.apply(PodManifest("other", labels: ["app": "other"], address: cable.near))
        func startEnvoy(_ name: String) async throws -> EnvoyProcess {
            let envoy = try await EnvoyProcess.start(
                name: name, configuration: try await stage.xdsOperator.bootstrap(node: "default/other"), wrapper: machine.wrapper)
            stage.watch(envoy.child)
            return envoy
        }
        let lost = try await startEnvoy("lost-envoy")
        try await stage.xdsOperator.awaitStreams(2, within: .seconds(30))
        cable.set { $0.isWhole = false }
        lost.child.signal(SIGKILL)
        try calls.write("meanwhile")
        let change = try await calls.arrive()
        try await stage.xdsOperator.awaitStreams(1, within: .seconds(180))
        cable.set { $0.isWhole = true }
        let start = ContinuousClock.now
        let other = try await startEnvoy("other-envoy")
        try await stage.xdsOperator.awaitStreams(2, within: .seconds(30))
        withExtendedLifetime(other) {}
        return (change, start.duration(to: .now))
    }
}

extension OperatorProcess {
    /// Waits until so many streams are open.
    func awaitStreams(_ count: Int, within limit: Duration) async throws {
        try await eventually("\(count) streams", within: limit, every: .milliseconds(50)) { () -> Look<Void> in
            let open = try await metric("streams")
            return open == count ? .met(()) : .unmet("\(open)")
        }
    }
}
