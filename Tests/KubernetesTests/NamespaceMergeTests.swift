import Domain
import Kubernetes
import Testing

private func pod(_ namespace: String, _ name: String, _ uid: String = "") -> Pod {
    Pod(
        metadata: ObjectMetadata(key: ObjectKey(namespace: namespace, name: name), uid: uid), labels: [:], addresses: [],
        phase: .pending, isReady: false)
}

@Suite struct NamespaceMergeTests {
    private func text(_ events: [WatchEvent<Pod>]) -> [String] {
        events.map { event in
            switch event {
            case .restarted: "restarted"
            case .applied(let pod): "applied \(pod.key)"
            case .deleted(let key): "deleted \(key)"
            case .synced: "synced"
            }
        }
    }

    @Test func `synced is told once, when all namespaces are`() {
        var merge = NamespaceMerge<Pod>(namespaces: ["a", "b"])
        #expect(text(merge.begin()) == ["restarted"])
        #expect(text(merge.events(of: .restarted, from: "a")) == [])
        #expect(text(merge.events(of: .applied(pod("a", "1")), from: "a")) == ["applied a/1"])
        #expect(text(merge.events(of: .synced, from: "a")) == [])
        #expect(text(merge.events(of: .restarted, from: "b")) == [])
        #expect(text(merge.events(of: .synced, from: "b")) == ["synced"])
    }

    @Test func `a relist deletes only what vanished in its namespace`() {
        var merge = NamespaceMerge<Pod>(namespaces: ["a", "b"])
        for namespace in ["a", "b"] {
            for event: WatchEvent<Pod> in [.restarted, .applied(pod(namespace, "1")), .applied(pod(namespace, "2")), .synced] {
                _ = merge.events(of: event, from: namespace)
            }
        }
        _ = merge.events(of: .restarted, from: "a")
        #expect(text(merge.events(of: .applied(pod("a", "2")), from: "a")) == ["applied a/2"])
        #expect(text(merge.events(of: .synced, from: "a")) == ["deleted a/1"])
        #expect(text(merge.events(of: .deleted(ObjectKey(namespace: "b", name: "1")), from: "b")) == ["deleted b/1"])
        #expect(text(merge.events(of: .deleted(ObjectKey(namespace: "b", name: "1")), from: "b")) == [])
    }

    @Test func `9 a relist produces deletes for what disappeared meanwhile`() {
        var store = ObjectStore<Pod>()
        for event: WatchEvent<Pod> in [.restarted, .applied(pod("a", "1")), .applied(pod("a", "2")), .synced] {
            store.apply(event)
        }
        _ = store.takeChanges()
        for event: WatchEvent<Pod> in [.restarted, .applied(pod("a", "2")), .synced] { store.apply(event) }
        #expect(store.takeChanges().map { "\($0.key) \($0.new == nil)" } == ["a/1 true"])
    }

    @Test func `20 the same name with a new uid is a change`() {
        var store = ObjectStore<Pod>()
        for event: WatchEvent<Pod> in [.restarted, .applied(pod("a", "1", "old")), .synced] { store.apply(event) }
        _ = store.takeChanges()
        store.apply(.deleted(ObjectKey(namespace: "a", name: "1")))
        store.apply(.applied(pod("a", "1", "new")))
        let changes = store.takeChanges()
        #expect(changes.map(\.old?.metadata.uid) == ["old"])
        #expect(changes.map(\.new?.metadata.uid) == ["new"])
    }
}

@Suite struct ValidityLedgerTests {
    private let wrong = [Diagnostic(.error, field: "spec", message: "is missing")]
    private let metadata = ObjectMetadata(key: ObjectKey(namespace: "a", name: "1"), uid: "u", generation: 1)

    @Test func `an invalid object is told once, and again when it changes`() {
        var ledger = ValidityLedger()
        #expect(ledger.isInvalid(metadata, wrong) == .invalid(metadata, wrong))
        #expect(ledger.isInvalid(metadata, wrong) == nil)
        var next = metadata
        next.generation = 2
        #expect(ledger.isInvalid(next, wrong) == .invalid(next, wrong))
        #expect(ledger.isValid(next) == .valid(next))
        #expect(ledger.isValid(next) == nil)
    }

    @Test func `an invalid object that is gone is told, also by a list`() {
        var ledger = ValidityLedger()
        _ = ledger.isInvalid(metadata, wrong)
        #expect(ledger.isGone(metadata.key) == .gone(metadata.key))
        #expect(ledger.isGone(metadata.key) == nil)
        _ = ledger.isInvalid(metadata, wrong)
        ledger.restarted()
        #expect(ledger.isInvalid(metadata, wrong) == nil)
        #expect(ledger.synced() == [])
        ledger.restarted()
        #expect(ledger.synced() == [.gone(metadata.key)])
    }
}
