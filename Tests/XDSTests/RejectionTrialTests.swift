import Domain
import Testing

@testable import XDS

/// What was rejected because its address was taken, and is tried again.
@Suite struct RejectionTrialTests {
    static let taken = "Error adding/updating listener(s) l: cannot bind '0.0.0.0:2': Address already in use"

    /// One Envoy, which answers only when told to.
    private struct Bench<Machine: TriedMachine> {
        var fanOut = FanOut(tracksProgress: true)
        var machine = Machine()
        var unanswered: [(nonce: String, type: String)] = []
        let stream = StreamID(1)
        let selected: ScopedSelector

        init() throws {
            selected = try selector(["app": "envoy"])
            fanOut.setNode(NodeChange(key: key("a"), uid: "", selectors: [selected]))
            _ = fanOut.commit(synced: true)
            var request = LoopRequest()
            request.attached = [(stream, "default/a")]
            for type in [ResourceType.cluster, .listener] { perform(machine.request(type.typeURL), &request) }
            serve(request)
            answer()
            publish("other", port: 1)
            answer()
        }

        mutating func publish(_ name: String, port: Int, content: String = "1") {
            guard let unit = try? unit(name, port: port, cluster: "static-\(name)", content: content, endpoints: nil) else {
                return
            }
            fanOut.setFragment(fragment(name, selected, [unit]))
            commit()
        }

        mutating func remove(_ name: String) {
            fanOut.removeFragment(key(name))
            commit()
        }

        private mutating func commit() {
            _ = fanOut.commit(synced: true)
            serve(LoopRequest())
        }

        /// The Envoy answers the oldest responses, `count` of them or all that there are and come of it.
        mutating func answer(_ count: Int = .max, rejectingListeners message: String? = nil) {
            var left = count
            while left > 0, !unanswered.isEmpty {
                left -= 1
                let (nonce, type) = unanswered.removeFirst()
                let isRejected = type == ResourceType.listener.typeURL
                var request = LoopRequest()
                perform(machine.answer(type, nonce, isRejected ? message : nil), &request)
                serve(request)
            }
        }

        /// The Envoy takes or rejects the oldest response with listeners, and has answered all before it.
        mutating func answerNextListeners(rejecting message: String? = nil) {
            while let next = unanswered.first, next.type != ResourceType.listener.typeURL { answer(1) }
            answer(1, rejectingListeners: message)
        }

        mutating func pause() {
            var request = LoopRequest()
            perform(machine.addressPauseElapsed(), &request)
            serve(request)
        }

        func progress(_ name: String) -> ServiceProgress { fanOut.progress(of: key(name)) }

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
                case .send(let head, let body): unanswered.append((DecodedResponse(head).nonce, DecodedResponse(body).typeURL))
                case .fetch(let fetch): fetches.append(fetch)
                default: break
                }
            }
            if !fetches.isEmpty, let group = fanOut.group(ofNodeID: "default/a") { next.fetches.append((stream, group, fetches)) }
            next.progressed.append((stream, machine.progress))
        }
    }

    @Test func inDelta() throws { try check(DeltaDiscoveryStateMachine.self) }
    @Test func inStateOfTheWorld() throws { try check(WorldDiscoveryStateMachine.self) }

    /// Nobody is told that a listener stands because it is being tried again: it is rejected until the Envoy has taken it.
    private func check<Machine: TriedMachine>(_: Machine.Type) throws {
        var bench = try Bench<Machine>()
        bench.publish("l", port: 2)
        bench.answer(rejectingListeners: Self.taken)
        #expect(bench.progress("l").rejection == Self.taken)
        let isWithheld = bench.machine.hasAddressConflicts
        #expect(isWithheld)
        bench.pause()
        #expect(!bench.unanswered.isEmpty, "it is sent again without a change")
        #expect(bench.progress("l") == ServiceProgress(connected: 1, programmed: 0, rejected: 1, rejection: Self.taken))
        bench.answer(rejectingListeners: Self.taken)
        #expect(bench.progress("l") == ServiceProgress(connected: 1, programmed: 0, rejected: 1, rejection: Self.taken))
        bench.pause()
        bench.answer()
        #expect(bench.progress("l") == ServiceProgress(connected: 1, programmed: 1))
        bench.pause()
        #expect(bench.unanswered.isEmpty)
    }

    @Test func inDeltaAfterAChange() throws { try checkChange(DeltaDiscoveryStateMachine.self) }
    @Test func inStateOfTheWorldAfterAChange() throws { try checkChange(WorldDiscoveryStateMachine.self) }

    /// The same where a change of other listeners gives the reason to try again.
    private func checkChange<Machine: TriedMachine>(_: Machine.Type) throws {
        var bench = try Bench<Machine>()
        bench.publish("l", port: 2)
        bench.answer(rejectingListeners: Self.taken)
        bench.publish("other", port: 1, content: "2")
        bench.answerNextListeners()
        #expect(!bench.unanswered.isEmpty, "it is tried again")
        #expect(bench.progress("l") == ServiceProgress(connected: 1, programmed: 0, rejected: 1, rejection: Self.taken))
        bench.remove("l")
        bench.answer()
        #expect(bench.machine.progress.rejected.isEmpty)
    }

    @Test func aRejectionOfWhatWasReplacedMeanwhileInDelta() throws { try checkReplaced(DeltaDiscoveryStateMachine.self) }
    @Test func aRejectionOfWhatWasReplacedMeanwhileInStateOfTheWorld() throws {
        try checkReplaced(WorldDiscoveryStateMachine.self)
    }

    /// A rejection that comes when another form, or the removal, is under way says nothing of that.
    private func checkReplaced<Machine: TriedMachine>(_: Machine.Type) throws {
        var bench = try Bench<Machine>()
        bench.publish("l", port: 2)
        bench.publish("l", port: 2, content: "2")
        bench.answerNextListeners(rejecting: "Error adding/updating listener(s) l: no")
        bench.answer()
        #expect(bench.progress("l") == ServiceProgress(connected: 1, programmed: 1))
        bench.publish("l", port: 2, content: "3")
        bench.remove("l")
        bench.answerNextListeners(rejecting: "Error adding/updating listener(s) l: no")
        bench.answer()
        #expect(bench.machine.progress.rejected.isEmpty)
    }
}

/// The machine of either form, as far as rejections concern it.
private protocol TriedMachine {
    init()
    mutating func request(_ typeURL: String) -> [DeltaAction]
    mutating func answer(_ typeURL: String, _ nonce: String, _ rejection: String?) -> [DeltaAction]
    mutating func assigned(_ position: Position) -> [DeltaAction]
    mutating func updated(_ update: GroupUpdate) -> [DeltaAction]
    mutating func answered(_ results: [FetchResult]) -> [DeltaAction]
    mutating func addressPauseElapsed() -> [DeltaAction]
    var hasAddressConflicts: Bool { get }
    var progress: StreamProgress { get }
}

extension DeltaDiscoveryStateMachine: TriedMachine {
    mutating func request(_ typeURL: String) -> [DeltaAction] { received(DeltaRequest(typeURL: typeURL)) }
    mutating func answer(_ typeURL: String, _ nonce: String, _ rejection: String?) -> [DeltaAction] {
        received(DeltaRequest(typeURL: typeURL, nonce: nonce, rejection: rejection))
    }
}

extension WorldDiscoveryStateMachine: TriedMachine {
    fileprivate init() { self.init(isAggregated: true) }
    mutating func request(_ typeURL: String) -> [DeltaAction] { received(WorldRequest(typeURL: typeURL)) }
    mutating func answer(_ typeURL: String, _ nonce: String, _ rejection: String?) -> [DeltaAction] {
        received(WorldRequest(typeURL: typeURL, nonce: nonce, rejection: rejection))
    }
}
