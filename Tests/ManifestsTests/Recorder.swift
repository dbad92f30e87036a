import Domain
import Kubernetes

/// Takes the events of a source as short texts, and lets a test await the next ones.
actor Recorder<Object: KeyedObject>: WatchEventReceiver {
    private let text: @Sendable (Object) -> String
    private var events: [String] = []
    private var waiting: (count: Int, continuation: CheckedContinuation<[String], Never>)?

    init(_ text: @escaping @Sendable (Object) -> String) { self.text = text }

    func receive(_ event: WatchEvent<Object>) {
        switch event {
        case .restarted: events.append("restarted")
        case .applied(let object): events.append("applied \(text(object))")
        case .deleted(let key): events.append("deleted \(key)")
        case .synced: events.append("synced")
        }
        if let (count, continuation) = waiting, events.count >= count {
            waiting = nil
            continuation.resume(returning: take(count))
        }
    }

    /// The next `count` events, in order.
    func next(_ count: Int = 1) async -> [String] {
        if events.count >= count { return take(count) }
        return await withCheckedContinuation { waiting = (count, $0) }
    }

    /// What came and was not taken yet.
    var rest: [String] { events }

    private func take(_ count: Int) -> [String] {
        defer { events.removeFirst(count) }
        return Array(events.prefix(count))
    }
}
