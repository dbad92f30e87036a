import Testing

@testable import XDS

/// How far Envoys are, as counted without walking over them.
@Suite struct StandingTests {
    @Test func envoysAreCountedByWhatTheyHaveReached() {
        var standing = GroupStanding()
        let revisions = (0..<4).map { Revision(number: $0) }
        standing.set("a", reached: nil, isRejecting: false)
        standing.set("b", reached: revisions[1], isRejecting: false)
        standing.set("c", reached: revisions[3], isRejecting: true)
        #expect(standing.count == 3 && revisions.map { standing.count(reaching: $0) } == [2, 2, 1, 1])
        #expect(standing.rejecting == ["c"] && standing.has("b", reached: revisions[1]) && !standing.has("a", reached: .initial))
        standing.set("a", reached: revisions[3], isRejecting: false)
        standing.set("c", reached: revisions[2], isRejecting: false)
        #expect(revisions.map { standing.count(reaching: $0) } == [3, 3, 2, 1] && standing.rejecting.isEmpty)
        for name in ["a", "b", "c"] { standing.remove(name) }
        #expect(standing.isEmpty && standing.count(reaching: .initial) == 0)
    }

    private struct World {
        var fanOut = FanOut(tracksProgress: true)
        let group: GroupID

        init() throws {
            let envoys = try selector(["app": "envoy"])
            fanOut.setNode(NodeChange(key: key("a"), uid: "", selectors: [envoys]))
            fanOut.setFragment(fragment("s", envoys, [try unit("l", port: 1)]))
            _ = fanOut.commit(synced: true)
            group = try #require(fanOut.group(ofNodeID: "default/a"))
        }

        mutating func attach(_ numbers: UInt64...) {
            var request = LoopRequest()
            request.attached = numbers.map { (StreamID($0), "default/a") }
            _ = fanOut.serve(LoopID(0), request)
        }

        mutating func tell(_ number: UInt64, _ types: ResourceTypes) {
            var request = LoopRequest()
            let position = fanOut.store.position(of: group)
            request.progressed = [(StreamID(number), StreamProgress(types: types, acknowledged: position, rejected: []))]
            _ = fanOut.serve(LoopID(0), request)
        }

        var programmed: [Int] { [fanOut.progress(of: key("s"))].flatMap { [$0.programmed, $0.connected] } }
    }

    @Test func anEnvoyWithAStreamForEachTypeHasWhatTheyAllHave() throws {
        var world = try World()
        world.attach(1, 2, 3)
        #expect(world.programmed == [0, 1])
        world.tell(1, [.cluster])
        world.tell(2, [.endpoint])
        #expect(world.programmed == [0, 1], "its stream for listeners has acknowledged nothing")
        world.tell(3, [.listener])
        #expect(world.programmed == [1, 1])
    }

    @Test func anEnvoyThatHasNotAskedForListenersHasNothing() throws {
        var world = try World()
        world.attach(1)
        world.tell(1, [.cluster, .endpoint])
        #expect(world.programmed == [0, 1])
        // Another stream of the same node that asks for listeners alone is no reason to doubt the first.
        world.tell(1, [.cluster, .endpoint, .listener])
        world.attach(2)
        world.tell(2, [.listener])
        #expect(world.programmed == [1, 1])
    }

    @Test func whatARejectedResponseCarriedIsInDoubtUntilItIsAcknowledgedAgain() throws {
        var state = DeltaTypeState(.listener)
        let positions = (1...4).map { Position(group: GroupID(number: 1), revision: Revision(number: $0)) }
        func send(_ nonce: UInt32, _ names: [String], _ place: Int) {
            state.inFlight.append(
                SentResponse(
                    nonce: Nonce(number: nonce), content: .own(resources: names.map { resource(.listener, $0) }, removed: []),
                    reached: ReachedPositions(updates: positions[place], removals: nil)))
        }
        send(1, ["a"], 0)
        send(2, ["good", "bad"], 1)
        send(3, ["c"], 2)
        #expect(state.reject(Nonce(number: 2), message: "Error adding/updating listener(s) bad: no") == ["bad"])
        #expect(state.acknowledged.updates == positions[0] && state.doubted == ["good"])
        state.acknowledge(Nonce(number: 3))
        #expect(state.acknowledged.updates == positions[0], "the innocent has not been sent again")
        send(4, ["good"], 3)
        state.acknowledge(Nonce(number: 4))
        #expect(state.acknowledged.updates == positions[3] && state.doubted.isEmpty)
    }
}
