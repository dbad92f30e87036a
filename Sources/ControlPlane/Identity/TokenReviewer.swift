import GRPC
public import Kubernetes
public import Logging
public import ServiceLifecycle
import XDS

/// Owns what is known of tokens: asks the API server whose they are, and remembers it for a while.
public actor TokenReviewer: Service {
    /// What was found out.
    enum Review: Hashable, Sendable {
        case account(ClientIdentity.Account)
        case rejected(reason: String)
        /// Nobody could be asked.
        case failed(reason: String)
    }

    private struct Request: Sendable {
        let token: String
        let answer: @Sendable (Review) -> Void
    }

    private struct Known {
        let review: Review
        /// In seconds since 1970.
        let until: Int64
    }

    /// Requests to the API server at once.
    private static let concurrency = 16
    /// Tokens that wait for their turn: all Envoys of a large cluster that come back at once.
    private static let queueLength = 10_000
    private static let cacheLimit = 20_000
    /// The API server has its reasons to take a token back, such as a deleted pod, before it expires.
    private static let longestTrust: Int64 = 600
    private static let rejectionTime: Int64 = 10

    private let client: any APIClient
    private let audiences: [String]
    private let time: any TimeSource
    private let metrics: AccessMetrics
    private let logger: Logger
    private let queue: AsyncStream<Request>
    private nonisolated let enqueue: AsyncStream<Request>.Continuation
    private var known: [Digest: Known] = [:]
    private var waiting: [Digest: [@Sendable (Review) -> Void]] = [:]

    /// Makes a reviewer.
    /// - Parameters:
    ///   - audiences: for one of which a token must be meant; empty for the API server's own.
    ///   - time: the system's clocks, but in tests.
    public init(
        client: any APIClient, audiences: [String], metrics: AccessMetrics, time: any TimeSource = SystemTime(), logger: Logger
    ) {
        self.client = client
        self.audiences = audiences
        self.metrics = metrics
        self.time = time
        self.logger = logger
        // Whoever finds the queue full is told to come back, so nothing is lost.
        (queue, enqueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.queueLength))
    }

    /// Reviews until cancelled or shut down.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await request in queue.cancelOnGracefulShutdown() {
                if running >= Self.concurrency {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await self.serve(request) }
            }
        }
        enqueue.finish()
    }

    /// Asks whose `token` is; returns whether there will be an answer, on any thread. It is false when too many ask.
    nonisolated func review(_ token: String, _ answer: @escaping @Sendable (Review) -> Void) -> Bool {
        if case .enqueued = enqueue.yield(Request(token: token, answer: answer)) { true } else { false }
    }

    private func serve(_ request: Request) async {
        let digest = Digest(of: request.token.utf8)
        if let entry = known[digest], entry.until > time.seconds { return request.answer(entry.review) }
        if waiting[digest] != nil {
            waiting[digest]?.append(request.answer)
            return
        }
        waiting[digest] = [request.answer]
        let review = await ask(request.token)
        remember(review, digest, request.token)
        for answer in waiting.removeValue(forKey: digest) ?? [] { answer(review) }
    }

    private func ask(_ token: String) async -> Review {
        metrics.reviewed()
        do {
            let response = try await client.send(TokenReview.request(token: token, audiences: audiences))
            guard response.isSuccess, let outcome = TokenReview.outcome(response.body, audiences: audiences) else {
                let reason = response.isSuccess ? "the API server's answer is no TokenReview" : "\(response.failure)"
                return failed(reason)
            }
            switch outcome {
            case .authenticated(let username, let podUID):
                return .account(ClientIdentity.Account(username: username, podUID: podUID))
            case .rejected(let reason): return .rejected(reason: reason)
            }
        } catch {
            return failed("\(error)")
        }
    }

    private func failed(_ reason: String) -> Review {
        metrics.reviewFailed()
        logger.error(
            "a token can't be reviewed: may the operator's account create tokenreviews?", metadata: ["reason": "\(reason)"])
        return .failed(reason: reason)
    }

    private func remember(_ review: Review, _ digest: Digest, _ token: String) {
        let now = time.seconds
        let until: Int64
        switch review {
        case .account: until = min(TokenReview.expiry(ofToken: token) ?? 0, now + Self.longestTrust)
        case .rejected: until = now + Self.rejectionTime
        case .failed: return
        }
        guard until > now else { return }
        if known.count >= Self.cacheLimit {
            known = known.filter { $0.value.until > now }
            // Full of what is still good: forgetting all of it costs a review each.
            if known.count >= Self.cacheLimit { known = [:] }
        }
        known[digest] = Known(review: review, until: until)
    }
}
