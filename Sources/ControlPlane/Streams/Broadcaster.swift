import Domain
import Observability
import ServiceLifecycle
import Translation
import Transport
import XDS

/// The one link between the snapshot cache and the streams of one event loop that are connected in one way.
///
/// It is pinned to the loop, as its streams are: what they have to say is collected in the turn, and what comes back is handed over
/// synchronously. So a change costs one hop for each loop, not one for each stream.
actor Broadcaster: LoopBound {
    /// Streams handed something before the loop gets a turn for its sockets: so few that what they touched is still in the processor's cache
    /// when it is written.
    private static let slice = 32
    /// How long it takes until it is told how far streams are: only status rests on that, and in between a stream acknowledges a few responses.
    private static let progressDelay = Duration.milliseconds(10)
    /// Streams that are asked how far they are before the loop gets a turn.
    private static let progressSlice = 512

    nonisolated let loop: EventLoop
    /// Whether somebody wants to know how far the streams are.
    nonisolated let tracksProgress: Bool
    private let id: LoopID
    private let variant: ConnectionVariant
    private let cache: SnapshotCache
    private let resolver: EndpointResolver
    /// Whether streams must know the pods that they are served for.
    private let checksNodes: Bool
    private let metrics: StreamMetrics
    private let bell = Bell()
    private var streams: [StreamID: DiscoveryStream] = [:]
    private var followers: [GroupID: [StreamID: DiscoveryStream]] = [:]
    private var groups: [StreamID: GroupID] = [:]
    private var nodeIDs: [StreamID: String] = [:]
    private var request = LoopRequest()
    /// Streams that may be further than was last told.
    private var progressing: [(id: StreamID, stream: DiscoveryStream)] = []
    private var leaving: [String] = []
    private var nextStream: UInt64 = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(
        _ id: LoopID, _ variant: ConnectionVariant, loop: EventLoop, cache: SnapshotCache, resolver: EndpointResolver,
        checksNodes: Bool, metrics: StreamMetrics
    ) {
        self.id = id
        self.metrics = metrics
        self.checksNodes = checksNodes
        self.variant = variant
        self.loop = loop
        tracksProgress = cache.tracksProgress
        self.cache = cache
        self.resolver = resolver
    }

    /// Carries news both ways until cancelled.
    func run() async {
        await cache.register(id, variant, bell: bell)
        await bell.answer {
            let batch = request
            let left = leaving
            request = LoopRequest()
            leaving = []
            if !batch.attached.isEmpty { await resolver.watch(batch.attached.map(\.nodeID)) }
            if !left.isEmpty { await resolver.unwatch(left) }
            await deliver(cache.serve(id, variant, batch))
        }
    }

    // MARK: What streams say, on the loop

    func attach(_ stream: DiscoveryStream, nodeID: String) -> StreamID {
        nextStream += 1
        let name = StreamID(UInt64(id.number) << 48 | nextStream)
        streams[name] = stream
        nodeIDs[name] = nodeID
        request.attached.append((name, nodeID))
        bell.ring()
        return name
    }

    func detach(_ stream: StreamID) {
        guard streams.removeValue(forKey: stream) != nil else { return }
        follow(stream, nil)
        request.detached.append(stream)
        if let nodeID = nodeIDs.removeValue(forKey: stream) { leaving.append(nodeID) }
        bell.ring()
    }

    func ask(_ stream: StreamID, _ fetches: [Fetch]) {
        guard let group = groups[stream] else { return }
        request.fetches.append((stream, group, fetches))
        bell.ring()
    }

    /// A stream may be further than it was.
    func noteProgress(_ id: StreamID, _ stream: DiscoveryStream) {
        progressing.append((id, stream))
        guard progressing.count == 1 else { return }
        loop.schedule(after: Self.progressDelay) { self.assumeIsolated { $0.collectProgress() } }
    }

    private func collectProgress() {
        for (id, stream) in progressing.prefix(Self.progressSlice) {
            if let progress = stream.takeProgress() { request.progressed.append((id, progress)) }
        }
        progressing.removeFirst(min(Self.progressSlice, progressing.count))
        if !progressing.isEmpty { loop.submit { self.assumeIsolated { $0.collectProgress() } } }
        if !request.progressed.isEmpty { bell.ring() }
    }

    func note(_ stream: StreamID, _ rejection: Rejection) {
        request.rejected.append((stream, rejection))
        bell.ring()
    }

    func release(_ stream: StreamID, _ group: GroupID) {
        request.released.append((stream, group))
        bell.ring()
    }

    // MARK: Who asks about streams

    /// The streams of clients that a filter includes, each as it is when its turn comes.
    func describe(_ filter: NodeFilter) async -> [StreamDescription] {
        var descriptions: [StreamDescription] = []
        var visited = 0
        for (id, nodeID) in nodeIDs where filter.includes(nodeID) {
            if let stream = streams[id] { descriptions.append(stream.describe(nodeID)) }
            await rest(&visited)
        }
        return descriptions
    }

    // MARK: What streams hear

    private func deliver(_ reply: LoopReply) async {
        var handed = 0
        let pods = await pods(of: reply.assignments.map(\.stream))
        for (stream, position) in reply.assignments {
            follow(stream, position.group)
            streams[stream]?.assigned(position, pod: nodeIDs[stream].flatMap { pods[$0] })
            await rest(&handed)
        }
        // Updates go before answers: an answer may rest on a step that the update makes.
        for update in reply.updates {
            var unmeasured = 0
            for stream in (followers[update.to.group] ?? [:]).values {
                stream.updated(update)
                unmeasured += 1
                if handed % Self.slice == Self.slice - 1 { measure(update, &unmeasured) }
                await rest(&handed)
            }
            measure(update, &unmeasured)
        }
        for (stream, results) in reply.answers {
            streams[stream]?.answered(results)
            await rest(&handed)
        }
    }

    private func measure(_ update: GroupUpdate, _ count: inout Int) {
        if let since = update.since, count > 0 { metrics.sendLatency.observe(.now - since, times: count) }
        count = 0
    }

    private func pods(of streams: [StreamID]) async -> [String: Pod] {
        guard checksNodes, !streams.isEmpty else { return [:] }
        return await resolver.pods(ofNodeIDs: streams.compactMap { nodeIDs[$0] })
    }

    private func rest(_ handed: inout Int) async {
        handed += 1
        if handed % Self.slice == 0 { await loop.turn() }
    }

    private func follow(_ stream: StreamID, _ group: GroupID?) {
        if let old = groups.removeValue(forKey: stream) {
            followers[old]?[stream] = nil
            if followers[old]?.isEmpty == true { followers[old] = nil }
        }
        guard let group, let follower = streams[stream] else { return }
        groups[stream] = group
        followers[group, default: [:]][stream] = follower
    }
}
