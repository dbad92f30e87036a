import AllocationCount
import Domain
import Testing

@testable import XDS

/// Work is proportional to what changes. What is counted is work, not time, so that a machine's mood makes no difference.
@Suite struct EffortTests {
    private static let loop = LoopID(0)

    private struct Bench {
        var fanOut: FanOut
        var machines: [StreamID: DeltaDiscoveryStateMachine] = [:]
        var sent: [StreamID: [[UInt8]]] = [:]
        private let tracksProgress: Bool

        /// - Parameter tracksProgress: whether streams tell how far they are, as with a status to write.
        init(tracksProgress: Bool) {
            self.tracksProgress = tracksProgress
            fanOut = FanOut(tracksProgress: tracksProgress)
        }

        mutating func forget() {
            sent = [:]
            types = [:]
        }

        mutating func serve(_ request: LoopRequest) {
            let reply = fanOut.serve(EffortTests.loop, request)
            for (stream, position) in reply.assignments { act(stream) { $0.assigned(position) } }
            for update in reply.updates { for stream in machines.keys { act(stream) { $0.updated(update) } } }
            for (stream, results) in reply.answers { act(stream) { $0.answered(results) } }
            let group = fanOut.group(ofNodeID: "default/envoy")
            var next = LoopRequest()
            if tracksProgress {
                next.progressed = told.compactMap { stream in machines[stream].map { (stream, $0.progress) } }
                told = []
            }
            guard !next.progressed.isEmpty || !fetches.isEmpty, let group else { return }
            for (stream, wanted) in fetches { next.fetches.append((stream, group, wanted)) }
            fetches = [:]
            serve(next)
        }

        private var types: [UInt: String] = [:]
        private var fetches: [StreamID: [Fetch]] = [:]
        /// Streams whose clients have said something since it was passed on.
        private var told: Set<StreamID> = []

        mutating func act(_ stream: StreamID, _ event: (inout DeltaDiscoveryStateMachine) -> [DeltaAction]) {
            guard var machine = machines.removeValue(forKey: stream) else { return }
            for action in event(&machine) {
                switch action {
                case .send(let head, let body):
                    sent[stream, default: []].append(body)
                    let nonce = DecodedResponse(head).nonce
                    let address = body.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
                    // Decoding a large response for each of the streams that share it would be most of the test's time.
                    let type = types[address] ?? DecodedResponse(body).typeURL
                    types[address] = type
                    _ = machine.received(DeltaRequest(typeURL: type, nonce: nonce))
                    told.insert(stream)
                case .fetch(let fetch): fetches[stream, default: []].append(fetch)
                default: break
                }
            }
            machines[stream] = machine
        }
    }

    private func bench(alive: Int, streams: Int, tracksProgress: Bool = false) throws -> Bench {
        var bench = Bench(tracksProgress: tracksProgress)
        let envoys = try selector(["app": "envoy"])
        for number in 0..<alive { bench.fanOut.setFragment(try call(number, envoys)) }
        bench.fanOut.setNode(NodeChange(key: key("envoy"), uid: "", selectors: [envoys]))
        _ = bench.fanOut.commit(synced: true)
        var request = LoopRequest()
        for number in 1...streams {
            let stream = StreamID(UInt64(number))
            var machine = DeltaDiscoveryStateMachine()
            for type in [ResourceType.cluster, .listener] { _ = machine.received(DeltaRequest(typeURL: type.typeURL)) }
            bench.machines[stream] = machine
            request.attached.append((stream, "default/envoy"))
        }
        bench.serve(request)
        return bench
    }

    private func call(_ number: Int, _ selector: ScopedSelector) throws -> Fragment {
        let units = try (0..<4).map {
            try unit("l\(number)-\($0)", port: number * 4 + $0 + 1, cluster: "static-\(number)-\($0)", endpoints: nil)
        }
        return fragment("call-\(number)", selector, units)
    }

    /// The work of one call set up and taken down, and the responses that streams share.
    private func effortOfACall(
        alive: Int, streams: Int, tracksProgress: Bool
    ) throws -> (up: SnapshotEffort, down: SnapshotEffort, bodies: Int, touched: [Set<ObjectKey>]) {
        var bench = try bench(alive: alive, streams: streams, tracksProgress: tracksProgress)
        _ = bench.fanOut.takeProgressed()
        let before = bench.fanOut.store.effort
        bench.forget()
        bench.fanOut.setFragment(try call(alive, try selector(["app": "envoy"])))
        _ = bench.fanOut.commit(synced: true)
        bench.serve(LoopRequest())
        let middle = bench.fanOut.store.effort
        var touched = [bench.fanOut.takeProgressed()]
        #expect(bench.sent.count == streams)
        let bodies = Set(bench.sent.values.flatMap { $0 }.map { $0.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } })
        bench.fanOut.removeFragment(key("call-\(alive)"))
        _ = bench.fanOut.commit(synced: true)
        bench.serve(LoopRequest())
        touched.append(bench.fanOut.takeProgressed())
        return (middle - before, bench.fanOut.store.effort - middle, bodies.count, touched)
    }

    @Test(arguments: [false, true]) func aCallCostsTheSameWhateverIsAlive(tracksProgress: Bool) throws {
        let few = try effortOfACall(alive: 1, streams: 3, tracksProgress: tracksProgress)
        let many = try effortOfACall(alive: 2500, streams: 1000, tracksProgress: tracksProgress)
        #expect(few.up == many.up && few.down == many.down)
        // Four clusters and four listeners, each in one response of each type.
        #expect(many.up == SnapshotEffort(framedResponses: 2, framedResources: 8, decidedListeners: 4))
        #expect(many.down == SnapshotEffort(framedResponses: 2, framedResources: 8, decidedListeners: 0))
        #expect(many.bodies == 2, "a thousand streams share the bytes of two responses")
        // With a status to write, nothing but the call itself is looked at again.
        if tracksProgress { #expect(many.touched == [[key("call-2500")], [key("call-2500")]]) }
    }

    @Test func theWorkForAGroupThatIsGoneStillCounts() throws {
        var bench = try bench(alive: 2, streams: 1)
        let before = bench.fanOut.store.effort
        #expect(before.decidedListeners > 0)
        var request = LoopRequest()
        request.detached = Array(bench.machines.keys)
        bench.serve(request)
        bench.fanOut.setNode(NodeChange(key: key("envoy"), uid: "", selectors: nil))
        _ = bench.fanOut.commit(synced: true)
        #expect(bench.fanOut.store.counts.groups == 0)
        #expect(bench.fanOut.store.effort == before)
    }

    /// Each Envoy asks by name for the endpoints of a call's clusters: the same names, whatever it has yet to be told besides.
    @Test func endpointsThatAllAskForAreOneBody() throws {
        let envoys = try selector(["app": "envoy"])
        func call(_ name: String, port: Int) throws -> Fragment {
            fragment(
                name, envoys,
                try (0..<2).map { try unit("l-\(name)-\($0)", port: port + $0, cluster: "\(name)-\($0)", endpoints: "hosts") })
        }
        var fanOut = FanOut()
        for name in ["a", "b"] { fanOut.setFragment(try call(name, port: name == "a" ? 1 : 11)) }
        fanOut.setNode(NodeChange(key: key("envoy"), uid: "", selectors: [envoys]))
        _ = fanOut.commit(synced: true)
        let streams = (1...3).map { StreamID($0) }
        var machines: [StreamID: DeltaDiscoveryStateMachine] = [:]
        var sent: [StreamID: [(head: [UInt8], body: [UInt8])]] = [:]

        /// Serves all streams until nothing is asked any more, and acknowledges all but endpoints.
        func serve(_ request: LoopRequest) throws {
            var request = request
            repeat {
                let reply = fanOut.serve(Self.loop, request)
                request = LoopRequest()
                for stream in streams {
                    var actions = reply.assignments.filter { $0.stream == stream }
                        .flatMap { machines[stream]?.assigned($0.position) ?? [] }
                    for update in reply.updates { actions += machines[stream]?.updated(update) ?? [] }
                    for (asking, results) in reply.answers where asking == stream {
                        actions += machines[stream]?.answered(results) ?? []
                    }
                    try act(stream, actions, &request)
                }
            } while !request.isEmpty
        }

        func act(_ stream: StreamID, _ actions: [DeltaAction], _ request: inout LoopRequest) throws {
            let group = try #require(fanOut.group(ofNodeID: "default/envoy"))
            for action in actions {
                switch action {
                case .send(let head, let body):
                    let response = DecodedResponse(head + body)
                    if response.typeURL == ResourceType.endpoint.typeURL { sent[stream, default: []].append((head, body)) }
                    let answer = DeltaRequest(typeURL: response.typeURL, nonce: response.nonce)
                    try act(stream, machines[stream]?.received(answer) ?? [], &request)
                case .fetch(let fetch): request.fetches.append((stream, group, [fetch]))
                default: break
                }
            }
        }

        /// The response to each stream after it has asked for more; the bodies must be one.
        func ask(_ names: [String], without gone: [String] = []) throws -> [DecodedResponse] {
            sent = [:]
            var request = LoopRequest()
            for stream in streams {
                let asked = DeltaRequest(typeURL: ResourceType.endpoint.typeURL, subscribe: names, unsubscribe: gone)
                try act(stream, machines[stream]?.received(asked) ?? [], &request)
            }
            try serve(request)
            let responses = streams.compactMap { sent[$0]?.last }
            let bodies = Set(responses.map { $0.body.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } })
            #expect(responses.count == 3 && bodies.count == 1)
            return responses.map { DecodedResponse($0.head + $0.body) }
        }

        var request = LoopRequest()
        for stream in streams {
            var machine = DeltaDiscoveryStateMachine()
            for type in [ResourceType.cluster, .listener] { _ = machine.received(DeltaRequest(typeURL: type.typeURL)) }
            machines[stream] = machine
            request.attached.append((stream, "default/envoy"))
        }
        try serve(request)
        for response in try ask(["a-0", "a-1"]) {
            #expect(response.resources.map(\.name) == ["a-0", "a-1"] && response.removed.isEmpty)
        }
        // The removal of clusters has been told; that of their endpoints comes with the next endpoints.
        fanOut.removeFragment(key("a"))
        fanOut.setFragment(try call("c", port: 21))
        _ = fanOut.commit(synced: true)
        try serve(LoopRequest())
        let framed = fanOut.store.effort.framedResponses
        for response in try ask(["c-0", "c-1"]) {
            #expect(response.resources.map(\.name) == ["c-0", "c-1"] && response.removed == ["a-0", "a-1"])
        }
        #expect(fanOut.store.effort.framedResponses == framed + 1)
        for response in try ask(["b-1"]) { #expect(response.resources.map(\.name) == ["b-1"] && response.removed.isEmpty) }
        for stream in streams { #expect(machines[stream]?.isSettled == true) }
    }

    /// What one stream allocates to take a step of one changed cluster and its acknowledgement: it must not creep up.
    @Test func aPushAllocatesLittle() throws {
        var bench = try bench(alive: 10, streams: 1)
        var counts: [UInt64] = []
        let envoys = try selector(["app": "envoy"])
        for round in 0..<5 {
            let changed = try (0..<4).map {
                try unit("l1-\($0)", port: 5 + $0, cluster: "static-1-\($0)", content: "round \(round)", endpoints: nil)
            }
            bench.fanOut.setFragment(fragment("call-1", envoys, changed))
            _ = bench.fanOut.commit(synced: true)
            let reply = bench.fanOut.serve(Self.loop, LoopRequest())
            let update = try #require(reply.updates.first)
            let stream = try #require(bench.machines.keys.first)
            let taken = bench.machines.removeValue(forKey: stream)
            var machine = try #require(taken)
            let before = allocation_count()
            let actions = machine.updated(update)
            counts.append(allocation_count() - before)
            #expect(!actions.isEmpty)
            bench.machines[stream] = machine
            for case .send(let head, let body) in actions {
                bench.act(stream) {
                    $0.received(DeltaRequest(typeURL: DecodedResponse(body).typeURL, nonce: DecodedResponse(head).nonce))
                }
            }
        }
        #expect(try #require(counts.last) <= 45)
    }
}

func - (left: SnapshotEffort, right: SnapshotEffort) -> SnapshotEffort {
    SnapshotEffort(
        framedResponses: left.framedResponses - right.framedResponses,
        framedResources: left.framedResources - right.framedResources,
        decidedListeners: left.decidedListeners - right.decidedListeners,
        comparedResources: left.comparedResources - right.comparedResources)
}
