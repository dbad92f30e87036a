import Domain
import Resolution
import Testing
import Translation
import XDS

/// From an object to the responses of streams: encode, publish, step. None of it may cost more because other objects are alive.
@Suite struct SnapshotPathTests {
    private static let loop = LoopID(0)

    /// A fan-out with calls of one listener each, and a stream that has all of it.
    private final class World {
        var fanOut = FanOut()
        var machine = DeltaDiscoveryStateMachine()
        private let selector: ScopedSelector
        private var round = 0
        private let stream = StreamID(1)

        init(alive: Int) throws {
            selector = ScopedSelector(namespace: "default", selector: try #require(LabelSelector(labels: ["app": "envoy"])))
            for number in 0..<alive { fanOut.setFragment(try call(number, content: "first")) }
            fanOut.setNode(NodeChange(key: ObjectKey(namespace: "default", name: "envoy"), uid: "", selectors: [selector]))
            _ = fanOut.commit(synced: true)
            for type in [ResourceType.cluster, .listener] { _ = machine.received(DeltaRequest(typeURL: type.typeURL)) }
            var request = LoopRequest()
            request.attached = [(stream, "default/envoy")]
            try serve(request)
        }

        private func call(_ number: Int, content: String) throws -> Fragment {
            func resource(_ type: ResourceType, _ name: String, _ content: String) -> EncodedResource {
                EncodedResource(type: type, name: name, payload: Array("\(name)=\(content)".utf8))
            }
            let unit = ListenerUnit(
                transport: .udp, port: try #require(PortNumber(number + 1)), listener: resource(.listener, "l\(number)", "1"),
                cluster: resource(.cluster, "c\(number)", content), assignment: nil)
            return Fragment(
                service: ObjectKey(namespace: "default", name: "call-\(number)"), creationSeconds: 0, selector: selector,
                units: [unit])
        }

        private func serve(_ request: LoopRequest) throws {
            let reply = fanOut.serve(SnapshotPathTests.loop, request)
            var actions = reply.assignments.flatMap { machine.assigned($0.position) }
            for update in reply.updates { actions += machine.updated(update) }
            for (_, results) in reply.answers { actions += machine.answered(results) }
            let fetches = try acknowledge(actions)
            guard !fetches.isEmpty, let group = fanOut.group(ofNodeID: "default/envoy") else { return }
            var next = LoopRequest()
            next.fetches = [(stream, group, fetches)]
            try serve(next)
        }

        /// Acknowledges what is sent, of whichever type it is, and returns what is asked.
        func acknowledge(_ actions: [DeltaAction]) throws -> [Fetch] {
            var fetches: [Fetch] = []
            for action in actions {
                switch action {
                case .send(let head, _):
                    let nonce = String(decoding: head.suffix(8), as: UTF8.self)
                    for type in ResourceType.allCases where type != .endpoint {
                        for case .fetch(let fetch) in machine.received(DeltaRequest(typeURL: type.typeURL, nonce: nonce)) {
                            fetches.append(fetch)
                        }
                    }
                case .fetch(let fetch): fetches.append(fetch)
                default: break
                }
            }
            return fetches
        }

        /// Makes a call's next form, which `publish` is to publish.
        func next() throws -> Fragment {
            round += 1
            return try call(3, content: "\(round)")
        }

        func publish(_ fragment: Fragment) -> GroupUpdate? {
            fanOut.setFragment(fragment)
            _ = fanOut.commit(synced: true)
            return fanOut.serve(SnapshotPathTests.loop, LoopRequest()).updates.first
        }
    }

    /// What it costs to publish a change, and what to take it to a stream and take in its acknowledgement.
    private func costs(alive: Int) throws -> (publish: Cost, step: Cost) {
        let world = try World(alive: alive)
        var fragments = try (0..<20).map { _ in try world.next() }
        var updates: [GroupUpdate] = []
        let publish = try Cost.least {
            guard let update = world.publish(fragments.removeLast()) else { throw Unexpected() }
            updates.append(update)
        }
        var waiting = updates[...]
        let step = try Cost.least {
            guard let update = waiting.popFirst(), case .send(let head, _) = world.machine.updated(update).first else {
                throw Unexpected()
            }
            let nonce = String(decoding: head.suffix(8), as: UTF8.self)
            _ = world.machine.acknowledged(.cluster, nonce: nonce)
        }
        #expect(world.machine.inFlightCount == 0)
        return (publish, step)
    }

    private struct Unexpected: Error {}

    @Test func publishingAndStepping() throws {
        let few = try costs(alive: 10)
        let many = try costs(alive: 10_000)
        #expect(many.publish.isLike(few.publish), "few \(few.publish), many \(many.publish)")
        #expect(many.step.isLike(few.step), "few \(few.step), many \(many.step)")
        #expect(few.publish.allocations <= 235, "\(few.publish)")
        #expect(few.step.allocations <= 30, "\(few.step)")
    }

    @Test func encodingEndpoints() throws {
        let port = try #require(PortNumber(5000))
        let intent = ClusterIntent(
            name: "c", serviceDiscovery: .eds, healthCheck: nil, hashKey: nil,
            endpoints: [
                EndpointIntent(
                    name: "e", host: .selector(try #require(LabelSelector(labels: ["app": "worker"]))), port: port,
                    healthCheckPort: nil)
            ])
        let addresses = (1...20).compactMap { IPAddress("10.0.0.\($0)") }
        let hosts = addresses.map { ResolvedEndpoint(host: .address($0), port: port) }
        let translator = Translator()
        var size = 0
        let cost = Cost.least { size = translator.assignment(intent, endpoints: hosts)?.deltaField.count ?? 0 }
        #expect(size > 400)
        #expect(cost.allocations <= 700, "\(cost)")
    }
}
