import Domain
import Testing

@testable import XDS

/// What a state-of-the-world client has, by its own word, while more is always under way.
@Suite struct WorldProgressTests {
    /// One client whose responses wait until they are answered one by one.
    private struct World {
        private var fanOut = FanOut(tracksProgress: true)
        private var machine = WorldDiscoveryStateMachine()
        private var unanswered: [(nonce: String, typeURL: String)] = []
        private let selected: ScopedSelector
        private let stream = StreamID(1)

        init() throws {
            selected = try selector(["app": "envoy"])
            fanOut.setNode(NodeChange(key: key("a"), uid: "", selectors: [selected]))
            _ = fanOut.commit(synced: true)
            for type in [ResourceType.cluster, .listener] { _ = machine.received(WorldRequest(typeURL: type.typeURL)) }
            var request = LoopRequest()
            request.attached = [(stream, "default/a")]
            serve(request)
        }

        var underWay: Int { unanswered.count }

        mutating func publish(_ name: String, port: Int) throws {
            try publish([name], from: port)
        }

        /// Several objects in one revision.
        mutating func publish(_ names: [String], from port: Int) throws {
            for (index, name) in names.enumerated() {
                let units = [try unit("l-\(name)", port: port + index, cluster: "static-\(name)", endpoints: nil)]
                fanOut.setFragment(fragment(name, selected, units))
            }
            commit()
        }

        mutating func remove(_ name: String) {
            fanOut.removeFragment(key(name))
            commit()
        }

        /// Acknowledges the oldest responses, or rejects them with `message`.
        mutating func answer(_ count: Int, rejecting message: String? = nil) {
            var request = LoopRequest()
            for (nonce, typeURL) in unanswered.prefix(count) {
                perform(machine.received(WorldRequest(typeURL: typeURL, nonce: nonce, rejection: message)), &request)
            }
            unanswered.removeFirst(min(count, unanswered.count))
            serve(request)
        }

        func isProgrammed(_ name: String) -> Bool { fanOut.progress(of: key(name)).programmed == 1 }

        private mutating func commit() {
            _ = fanOut.commit(synced: true)
            serve(LoopRequest())
        }

        private mutating func serve(_ request: LoopRequest) {
            let reply = fanOut.serve(LoopID(0), request)
            var next = LoopRequest()
            for (_, position) in reply.assignments { perform(machine.assigned(position), &next) }
            for update in reply.updates { perform(machine.updated(update), &next) }
            for (_, results) in reply.answers { perform(machine.answered(results), &next) }
            if !next.isEmpty { serve(next) }
        }

        private mutating func perform(_ actions: [DeltaAction], _ next: inout LoopRequest) {
            var fetches: [Fetch] = []
            for action in actions {
                switch action {
                case .send(let head, let body):
                    unanswered.append((DecodedResponse(head).nonce, DecodedWorldResponse(body).typeURL))
                case .fetch(let fetch): fetches.append(fetch)
                default: break
                }
            }
            if !fetches.isEmpty, let group = fanOut.group(ofNodeID: "default/a") { next.fetches.append((stream, group, fetches)) }
            next.progressed.append((stream, machine.progress))
        }
    }

    @Test func `each object is programmed by its own acknowledgement, though there is always another under way`() throws {
        var world = try World()
        world.answer(world.underWay)
        try world.publish("s0", port: 1)
        let responses = world.underWay
        #expect(responses == 2, "clusters and listeners")
        for number in 1..<20 {
            try world.publish("s\(number)", port: Int(number + 1))
            #expect(!world.isProgrammed("s\(number - 1)"))
            world.answer(responses)
            #expect(world.isProgrammed("s\(number - 1)"))
            #expect(!world.isProgrammed("s\(number)"))
        }
    }

    @Test func `what is gone is withdrawn though another is under way, and not before its clusters have left`() throws {
        var world = try World()
        try world.publish("s", port: 1)
        try world.publish("other", port: 2)
        world.answer(world.underWay)
        world.remove("s")
        // Listeners first, then the clusters that they needed.
        let responses = world.underWay
        try world.publish("next", port: 3)
        for _ in 1..<responses {
            world.answer(1)
            #expect(!world.isProgrammed("s"))
        }
        world.answer(1)
        #expect(world.isProgrammed("s"))
        #expect(!world.isProgrammed("next"))
    }

    @Test func `an acknowledgement while a culprit is searched for says nothing of what is held back`() throws {
        var world = try World()
        world.answer(world.underWay)
        try world.publish("a", port: 1)
        world.answer(world.underWay)
        try world.publish(["b", "c"], from: 2)
        world.answer(1, rejecting: "no")
        // The first half alone is tried now.
        world.answer(1)
        #expect(world.isProgrammed("a"))
        #expect(!(world.isProgrammed("b") && world.isProgrammed("c")))
        while world.underWay > 0 { world.answer(world.underWay) }
        #expect(world.isProgrammed("b") && world.isProgrammed("c"))
    }
}
