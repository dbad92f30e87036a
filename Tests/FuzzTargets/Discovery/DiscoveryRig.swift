import ControlPlane
import XDS

/// One client and its stream, which is there twice: one reads requests as streams do once they know the node, by the quick way where
/// there is one; the other decodes each.
struct DiscoveryRig {
    private struct Stream {
        let id: StreamID
        let form: any StreamForm
        let decodesAll: Bool
        var group: GroupID?
    }

    /// Bytes that a name may take for each that was sent: it may stand in a dozen places, and each counts its place besides its text.
    private static let bytesPerByte = 12 * 64
    private static let freeBytes = 256 << 10
    /// A client that answers everything is quiet after so many answers: rejected responses of four resources come again in halves.
    private static let patience = 500

    private var world = DiscoveryWorld()
    private var client: any DiscoveryClient
    private var streams: [Stream]
    private var request = LoopRequest()
    /// Oldest first.
    private var unanswered: [ReceivedResponse] = []
    private var nonces: Set<String> = []
    /// Whether the stream was ended by the server.
    private(set) var hasEnded = false

    init(_ client: any DiscoveryClient, _ newForm: () -> any StreamForm) {
        self.client = client
        streams = [false, true].enumerated().map { number, decodesAll in
            Stream(id: StreamID(UInt64(number)), form: newForm(), decodesAll: decodesAll)
        }
        for stream in streams { request.attached.append((stream.id, DiscoveryWorld.nodeID)) }
    }

    // MARK: Events

    /// The client sends anything.
    mutating func receive(_ message: [UInt8]) {
        var all: [[DeltaAction]] = []
        for stream in streams {
            if !stream.decodesAll, let actions = stream.form.acknowledged(message, of: nil) {
                all.append(actions)
                continue
            }
            guard let request = try? stream.form.decode(message, nameLimit: 10_000, needsNode: stream.decodesAll) else {
                // What the quick way refuses, the slow one has refused. The quick way does not look into the node.
                hasEnded = true
                continue
            }
            expect(!hasEnded || stream.decodesAll == false, "one way of reading takes what the other refuses")
            all.append(stream.form.received(request))
        }
        if hasEnded { return }
        client.sent(message)
        take(all)
        serve()
    }

    mutating func perform(_ event: DiscoveryEvent) {
        switch event {
        case .acknowledgement: answer(rejection: nil)
        case .rejection(let place, let isConflict):
            guard let first = unanswered.first else { return }
            let name = place.flatMap { $0 < first.names.count ? first.names[$0] : nil }
            answer(rejection: "\(name ?? "something"): \(isConflict ? "duplicate address" : "invalid")")
        case .write(let object, let isRemoved): world.write(object, isRemoved: isRemoved)
        case .move: world.move()
        case .pod: world.togglePod()
        case .graceElapses: take(streams.map { $0.form.graceElapsed() })
        case .addressPauseElapses: take(streams.map { $0.form.addressPauseElapsed() })
        }
        serve()
    }

    mutating func changeWorld(_ number: UInt8) {
        world.write(Int(number & 3), isRemoved: number & 12 == 12)
        serve()
    }

    private mutating func answer(rejection: String?) {
        guard !unanswered.isEmpty, let message = try? client.answer(unanswered.removeFirst(), rejection: rejection) else {
            return
        }
        receive(message)
    }

    // MARK: What the stream does

    /// Carries questions and answers between streams and snapshots until there are no more, which must come to an end.
    mutating func serve() {
        for _ in 0..<64 where !hasEnded {
            let reply = world.serve(request)
            request = LoopRequest()
            for (id, position) in reply.assignments {
                for index in streams.indices where streams[index].id == id { streams[index].group = position.group }
            }
            take(
                streams.map { stream in
                    reply.assignments.filter { $0.stream == stream.id }.flatMap { stream.form.assigned($0.position) }
                })
            for update in reply.updates {
                take(streams.map { update.to.group == $0.group ? $0.form.updated(update) : [] })
            }
            take(
                streams.map { stream in
                    reply.answers.filter { $0.stream == stream.id }.flatMap { stream.form.answered($0.results) }
                })
            if request.isEmpty && reply.assignments.isEmpty && reply.updates.isEmpty { return }
        }
        expect(hasEnded, "fetching does not end")
    }

    private mutating func take(_ actions: [[DeltaAction]]) {
        expect(actions.allSatisfy { $0.count == actions[0].count }, "one way of reading makes more actions than the other")
        for pair in zip(actions[0], actions[1]) {
            switch pair {
            case (.send(let head, let body), .send(let otherHead, let otherBody)):
                expect(head == otherHead && body == otherBody, "responses depend on how requests are read")
                received(head + body)
            case (.fetch(let fetch), .fetch(let other)):
                expect(fetch.type == other.type, "fetches depend on how requests are read")
                ask(fetch, streams[0])
                ask(other, streams[1])
            case (.release(let group), .release(let other)):
                expect(group == other, "releases depend on how requests are read")
                for stream in streams { request.released.append((stream.id, group)) }
            case (.rejected(let rejection), .rejected(let other)):
                expect(rejection == other, "rejections depend on how requests are read")
            case (.resync, .resync): hasEnded = true
            default: expect(false, "actions depend on how requests are read")
            }
        }
    }

    private mutating func ask(_ fetch: Fetch, _ stream: Stream) {
        guard let group = stream.group else { return }
        if let index = request.fetches.firstIndex(where: { $0.stream == stream.id && $0.group == group }) {
            request.fetches[index].fetches.append(fetch)
        } else {
            request.fetches.append((stream.id, group, [fetch]))
        }
    }

    private mutating func received(_ bytes: [UInt8]) {
        guard let response = client.read(bytes) else { return expect(false, "a response can't be read") }
        expect(nonces.insert(response.nonce).inserted, "a nonce is used twice")
        unanswered.append(response)
    }

    // MARK: Rules

    /// - Parameter count: bytes that the client sent at most.
    func check(sent count: Int) {
        for stream in streams {
            expect(stream.form.inFlightCount <= 64 + 8 + 8, "the window is exceeded")
            let names = stream.form.nameByteCount(nameCost: 64)
            expect(names <= Self.freeBytes + count * Self.bytesPerByte, "names take more room than was sent")
        }
        expect(streams[0].form.progress == streams[1].form.progress, "progress depends on how requests are read")
    }

    /// From now on the client answers all that it is sent, and the world stands still.
    mutating func settle() {
        world.bringPodBack()
        perform(.graceElapses)
        for _ in 0..<Self.patience {
            guard !unanswered.isEmpty, !hasEnded else { break }
            answer(rejection: nil)
        }
        if hasEnded { return }
        expect(unanswered.isEmpty, "the client never has everything")
        for stream in streams {
            expect(stream.form.inFlightCount == 0, "an answer was not taken in")
            let progress = stream.form.progress
            // Without listeners, clusters that are gone may have to wait for them.
            guard progress.types.isSuperset(of: [.cluster, .listener]), progress.rejected.isEmpty else { continue }
            expect(progress.acknowledged == world.position, "the client has everything, and it is not known")
        }
    }
}
