import Domain
import Kubernetes

@testable import ControlPlane

/// A cluster behind a client, which wakes whoever waits for something to become true of it.
actor FakeAPI: APIClient {
    private var cluster = FakeCluster()
    private var observers: [StatusWriter] = []
    private let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation

    init() {
        // One slot: whoever waits looks at the whole state.
        (changes, changed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func send(_ request: APIRequest) async throws -> APIResponse {
        let response = cluster.send(request)
        changed.yield()
        await tell()
        return response
    }

    func read<Value: Sendable>(_ body: @Sendable (FakeCluster) -> Value) -> Value { body(cluster) }

    func change(_ body: (inout FakeCluster) -> Void) async {
        body(&cluster)
        await tell()
    }

    /// Tells the writer of everything, and of every change.
    func watch(_ observer: StatusWriter) async {
        observers.append(observer)
        for key in cluster.services.keys { await observer.receive(cluster.observed(key)) }
    }

    /// Waits until it is so; false after `limit`. For one waiter at a time.
    nonisolated func wait(
        _ limit: Duration = .seconds(20), until isSo: @escaping @Sendable (FakeCluster) -> Bool
    ) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                if await self.holds(isSo) { return true }
                for await _ in self.changes where await self.holds(isSo) { return true }
                return false
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    private func holds(_ isSo: @Sendable (FakeCluster) -> Bool) -> Bool { isSo(cluster) }

    private func tell() async {
        let news = cluster.news
        cluster.news = []
        for key in news {
            for observer in observers { await observer.receive(cluster.observed(key)) }
        }
    }
}

/// Reports that a test makes.
actor FakeReports: ServiceReports {
    private var pending: [ServiceReport] = []
    private var removed: [ObjectKey] = []
    private let bell = Bell()

    func report(_ report: ServiceReport) {
        pending.append(report)
        bell.ring()
    }

    nonisolated func changes() -> AsyncStream<Void> { bell.rings }

    func take() -> [ServiceReport] {
        defer { pending = [] }
        return pending
    }

    func takeRemoved() -> [ObjectKey] {
        defer { removed = [] }
        return removed
    }
}
