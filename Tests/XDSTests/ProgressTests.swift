import Domain
import Testing

@testable import XDS

/// Who has what, by the Envoys' own words.
@Suite struct ProgressTests {
    private static let loop = LoopID(0)

    /// A fan-out with two Envoys, `a` and `b`, that select the same, and streams that answer only when told to.
    private struct World {
        var fanOut = FanOut(tracksProgress: true)
        var machines: [StreamID: DeltaDiscoveryStateMachine] = [:]
        var unanswered: [StreamID: [(nonce: String, type: String)]] = [:]
        let selected: ScopedSelector

        init() throws {
            selected = try selector(["app": "envoy"])
            for name in ["a", "b"] { fanOut.setNode(NodeChange(key: key(name), uid: "", selectors: [selected])) }
            _ = fanOut.commit(synced: true)
        }

        mutating func connect(_ name: String, _ number: UInt64) {
            let stream = StreamID(number)
            machines[stream] = DeltaDiscoveryStateMachine()
            for type in [ResourceType.cluster, .listener] {
                _ = machines[stream]?.received(DeltaRequest(typeURL: type.typeURL))
            }
            var request = LoopRequest()
            request.attached = [(stream, "default/\(name)")]
            serve(request)
        }

        mutating func publish(_ fragment: Fragment) {
            fanOut.setFragment(fragment)
            _ = fanOut.commit(synced: true)
            serve(LoopRequest())
        }

        /// The Envoy acknowledges all that it has been sent, or rejects the resources of a type among it.
        mutating func answer(_ number: UInt64, rejecting message: String? = nil, of rejected: ResourceType = .listener) {
            let stream = StreamID(number)
            var request = LoopRequest()
            while let (nonce, type) = unanswered[stream]?.first {
                unanswered[stream]?.removeFirst()
                let isRejected = type == rejected.typeURL
                let answer = DeltaRequest(typeURL: type, nonce: nonce, rejection: isRejected ? message : nil)
                perform(machines[stream]?.received(answer) ?? [], stream, &request)
            }
            serve(request)
        }

        private mutating func serve(_ request: LoopRequest) {
            let reply = fanOut.serve(ProgressTests.loop, request)
            var next = LoopRequest()
            for (stream, position) in reply.assignments { perform(machines[stream]?.assigned(position) ?? [], stream, &next) }
            for update in reply.updates {
                for stream in machines.keys { perform(machines[stream]?.updated(update) ?? [], stream, &next) }
            }
            for (stream, results) in reply.answers { perform(machines[stream]?.answered(results) ?? [], stream, &next) }
            if !next.isEmpty { serve(next) }
        }

        private mutating func perform(_ actions: [DeltaAction], _ stream: StreamID, _ next: inout LoopRequest) {
            for action in actions {
                switch action {
                case .send(let head, let body):
                    unanswered[stream, default: []].append((DecodedResponse(head).nonce, DecodedResponse(body).typeURL))
                case .fetch(let fetch):
                    if let group = fanOut.group(ofNodeID: "default/a") { next.fetches.append((stream, group, [fetch])) }
                default: break
                }
            }
            if let progress = machines[stream]?.progress { next.progressed.append((stream, progress)) }
        }
    }

    @Test func anObjectIsProgrammedOnceEveryConnectedEnvoyHasAcknowledgedIt() throws {
        var world = try World()
        world.connect("a", 1)
        world.connect("b", 2)
        world.answer(1)
        world.answer(2)
        world.publish(fragment("s", world.selected, [try unit("l", port: 1, cluster: "static", endpoints: nil)]))
        #expect(world.fanOut.takeProgressed() == [key("s")])
        #expect(world.fanOut.progress(of: key("s")) == ServiceProgress(connected: 2, programmed: 0))
        world.answer(1)
        #expect(world.fanOut.takeProgressed() == [key("s")])
        #expect(world.fanOut.progress(of: key("s")) == ServiceProgress(connected: 2, programmed: 1))
        world.answer(2)
        #expect(world.fanOut.progress(of: key("s")) == ServiceProgress(connected: 2, programmed: 2))
    }

    @Test func anObjectThatIsGoneIsWithdrawnOnceThatIsAcknowledged() throws {
        var world = try World()
        world.connect("a", 1)
        world.publish(fragment("s", world.selected, [try unit("l", port: 1, cluster: "static", endpoints: nil)]))
        world.answer(1)
        world.fanOut.removeFragment(key("s"))
        world.fanOut.setFragment(fragment("other", world.selected, []))
        _ = world.fanOut.commit(synced: true)
        world.publish(fragment("other", world.selected, []))
        #expect(world.fanOut.progress(of: key("s")) == ServiceProgress(connected: 1, programmed: 0))
        world.answer(1)
        #expect(world.fanOut.progress(of: key("s")) == ServiceProgress(connected: 1, programmed: 1))
    }

    @Test func aRejectionIsTheOwnersAndEndsWithAnotherForm() throws {
        var world = try World()
        world.connect("a", 1)
        world.answer(1)
        world.publish(fragment("good", world.selected, [try unit("g", port: 1, cluster: "static-g", endpoints: nil)]))
        world.answer(1)
        world.publish(fragment("s", world.selected, [try unit("l", port: 2, cluster: "static-l", endpoints: nil)]))
        world.answer(1, rejecting: "Error adding/updating listener(s) l: no")
        world.answer(1)
        #expect(world.fanOut.progress(of: key("s")).rejection == "Error adding/updating listener(s) l: no")
        #expect(world.fanOut.progress(of: key("good")) == ServiceProgress(connected: 1, programmed: 1))
        world.publish(fragment("s", world.selected, [try unit("l", port: 2, cluster: "static-l", content: "2", endpoints: nil)]))
        world.answer(1)
        #expect(world.fanOut.progress(of: key("s")) == ServiceProgress(connected: 1, programmed: 1))
    }

    /// Without a name in Envoy's words the one cluster that was new is the culprit.
    @Test func aRejectedClusterIsItsOwners() throws {
        var world = try World()
        world.connect("a", 1)
        world.answer(1)
        world.publish(fragment("s", world.selected, [try unit("l", port: 2, cluster: "static-l", endpoints: nil)]))
        world.answer(1, rejecting: "Proto constraint validation failed", of: .cluster)
        #expect(world.fanOut.progress(of: key("s")).rejection == "Proto constraint validation failed")
        let origin = world.fanOut.origin(of: .cluster, "static-l", told: StreamID(1))
        #expect(origin.nodeID == "default/a")
        #expect(origin.owner == key("s"))
        world.publish(fragment("s", world.selected, [try unit("l", port: 2, cluster: "static-l", content: "2", endpoints: nil)]))
        world.answer(1)
        #expect(world.fanOut.progress(of: key("s")) == ServiceProgress(connected: 1, programmed: 1))
    }

    @Test func nobodyIsBlamedForWhatIsNotServed() throws {
        var world = try World()
        world.connect("a", 1)
        #expect(world.fanOut.origin(of: .listener, "absent", told: StreamID(1)).owner == nil)
        #expect(world.fanOut.origin(of: .listener, "absent", told: StreamID(2)).nodeID == nil)
    }

    @Test func anObjectThatNothingSelectsHasNobody() throws {
        var world = try World()
        world.publish(fragment("s", try selector(["app": "nobody"]), [try unit("l", port: 1)]))
        #expect(world.fanOut.progress(of: key("s")) == ServiceProgress())
    }
}
