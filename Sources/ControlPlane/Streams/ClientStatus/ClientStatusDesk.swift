import GRPC
import ServiceLifecycle
import Translation
import XDS

/// Works out, on request, what the connected Envoys were sent, beside the loops that serve them.
///
/// One request is worked on at a time, and its answer is bounded, whatever the number of Envoys and of their resources.
actor ClientStatusDesk {
    /// A request of a stream.
    struct Inquiry: Sendable {
        let filter: NodeFilter
        let includesContents: Bool
        let stream: ClientStatusStream
    }

    /// What a stream is told.
    enum Answer: Sendable {
        /// A `ClientStatusResponse`, encoded.
        case response([UInt8])
        case refusal(Status)
    }

    private struct InventoryKey: Hashable {
        let group: GroupID
        let type: ResourceType
    }

    /// What was looked up for one request: clients of a group share it.
    private struct Lookup {
        var position: Position?
        var inventory = Inventory([], changes: [:])
        /// The encoding for a client that has just what its group has.
        var shared: [UInt8]?
    }

    /// Bytes of answers that clients have not read yet.
    nonisolated let unread = UnreadBudget(limit: 64 << 20)
    private nonisolated let inquiries: AsyncStream<Inquiry>
    private nonisolated let continuation: AsyncStream<Inquiry>.Continuation
    private let broadcasters: [Broadcaster]
    private let cache: SnapshotCache
    /// Bytes of one answer.
    private let answerLimit: Int

    init(broadcasters: [Broadcaster], cache: SnapshotCache, answerLimit: Int) {
        // A request that finds so many before it is refused, so that what waits is bounded.
        (inquiries, continuation) = AsyncStream.makeStream(of: Inquiry.self, bufferingPolicy: .bufferingOldest(64))
        self.broadcasters = broadcasters
        self.cache = cache
        self.answerLimit = answerLimit
    }

    /// Answers inquiries until cancelled.
    func run() async {
        for await inquiry in inquiries.cancelOnGracefulShutdown() {
            let answer: Answer
            do {
                answer = try await self.answer(inquiry)
            } catch {
                answer = .refusal(Status(.internal, "the answer can't be encoded: \(error)"))
            }
            await inquiry.stream.answered(answer)
        }
    }

    /// Takes an inquiry, whose stream will hear of it; returns whether there is room for it.
    nonisolated func submit(_ inquiry: Inquiry) -> Bool {
        if case .enqueued = continuation.yield(inquiry) { return true }
        return false
    }

    private func answer(_ inquiry: Inquiry) async throws -> Answer {
        var streams: [StreamDescription] = []
        for broadcaster in broadcasters { streams += await broadcaster.describe(inquiry.filter) }
        streams.sort { ($0.nodeID, $0.peer) < ($1.nodeID, $1.peer) }
        var output: [UInt8] = []
        var lookups: [ConnectionVariant: [InventoryKey: Lookup]] = [:]
        for (number, stream) in streams.enumerated() {
            let room = answerLimit - output.count
            let configs = try await configs(of: stream, inquiry, room: room, &lookups[stream.variant, default: [:]])
            guard let configs else { return .refusal(tooMuch(number, of: streams.count)) }
            StatusEncoding.appendClient(head: try stream.head(), configs: configs, to: &output)
        }
        return .response(output)
    }

    private func tooMuch(_ number: Int, of count: Int) -> Status {
        Status(
            .resourceExhausted,
            "the answer about \(count) streams exceeds \(answerLimit >> 10) KiB at stream \(number + 1): ask about one Envoy "
                + "(node_matchers {node_id {exact: …}}), or leave the resources out (exclude_resource_contents)")
    }

    /// The encoded resources of a client; nil when they exceed `room`.
    private func configs(
        of stream: StreamDescription, _ inquiry: Inquiry, room: Int, _ lookups: inout [InventoryKey: Lookup]
    ) async throws -> [[UInt8]]? {
        var configs: [[UInt8]] = []
        var rest = room - 1024
        for account in stream.account.types {
            var encoded: [UInt8]?
            if let group = stream.account.group {
                let key = InventoryKey(group: group, type: account.type)
                let found = await look(account, in: group, stream.variant, lookups[key] ?? Lookup())
                lookups[key] = found
                if account.sharedKey(found.inventory) != nil {
                    encoded = found.shared ?? encode(account.statuses(found.inventory), inquiry, limit: rest)
                    lookups[key]?.shared = encoded
                } else {
                    encoded = encode(account.statuses(found.inventory), inquiry, limit: rest)
                }
            } else {
                encoded = encode(account.statuses(nil), inquiry, limit: rest)
            }
            guard let encoded, encoded.count <= rest else { return nil }
            rest -= encoded.count
            configs.append(encoded)
        }
        return rest < 0 ? nil : configs
    }

    private func look(_ account: TypeAccount, in group: GroupID, _ variant: ConnectionVariant, _ known: Lookup) async -> Lookup {
        let news = await cache.inventory(of: account, in: group, variant, known: known.position)
        guard let resources = news.resources else {
            return Lookup(
                position: known.position, inventory: known.inventory.with(changes: news.changes), shared: known.shared)
        }
        return Lookup(position: news.position, inventory: Inventory(resources, changes: news.changes), shared: nil)
    }

    private func encode(_ statuses: [ResourceStatus], _ inquiry: Inquiry, limit: Int) -> [UInt8]? {
        var encoding = StatusEncoding(includesContents: inquiry.includesContents)
        for status in statuses {
            encoding.append(status)
            if encoding.byteCount > limit { return nil }
        }
        return encoding.bytes
    }
}
