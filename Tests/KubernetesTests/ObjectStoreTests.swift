import Domain
import Kubernetes
import Testing

private struct Item: KeyedObject {
    let key: ObjectKey
    let value: Int

    init(_ name: String, _ value: Int) {
        key = ObjectKey(namespace: "n", name: name)
        self.value = value
    }
}

extension ObjectStore<Item> {
    fileprivate mutating func take(_ events: WatchEvent<Item>...) {
        for event in events { apply(event) }
    }

    /// Changes as `name: old→new`.
    fileprivate mutating func takeChangeTexts() -> [String] {
        takeChanges().map { change in
            let (old, new) = (change.old.map { "\($0.value)" }, change.new.map { "\($0.value)" })
            return "\(change.key.name): \(old ?? "none")→\(new ?? "none")"
        }
    }
}

@Suite struct ObjectStoreTests {
    @Test func nothingBeforeTheFirstSync() {
        var store = ObjectStore<Item>()
        store.take(.restarted, .applied(Item("b", 1)), .applied(Item("a", 1)))
        #expect(!store.hasSynced)
        #expect(store.takeChanges().isEmpty)
        #expect(store.objects.isEmpty)
        store.take(.synced)
        #expect(store.hasSynced)
        #expect(store.takeChangeTexts() == ["a: none→1", "b: none→1"])
        #expect(store.takeChanges().isEmpty)
    }

    @Test func anEmptyListIsASync() {
        var store = ObjectStore<Item>()
        store.take(.restarted, .synced)
        #expect(store.hasSynced)
        #expect(store.takeChanges().isEmpty)
    }

    @Test func changesCoalesce() {
        var store = ObjectStore<Item>()
        store.take(.restarted, .applied(Item("a", 1)), .applied(Item("b", 1)), .synced)
        _ = store.takeChanges()
        store.take(.applied(Item("a", 2)), .applied(Item("a", 3)), .deleted(Item("b", 0).key), .applied(Item("c", 1)))
        #expect(store.takeChangeTexts() == ["a: 1→3", "b: 1→none", "c: none→1"])
        store.take(.applied(Item("a", 4)), .applied(Item("a", 3)), .applied(Item("d", 1)), .deleted(Item("d", 0).key))
        #expect(store.takeChanges().isEmpty)
        store.take(.applied(Item("a", 3)), .deleted(Item("zzz", 0).key))
        #expect(store.takeChanges().isEmpty)
    }

    @Test func aRelistReplacesAtItsEnd() {
        var store = ObjectStore<Item>()
        store.take(.restarted, .applied(Item("a", 1)), .applied(Item("b", 1)), .synced)
        _ = store.takeChanges()
        store.take(.restarted, .applied(Item("a", 1)), .applied(Item("c", 1)), .deleted(Item("b", 0).key))
        #expect(store.takeChanges().isEmpty)
        #expect(store[Item("b", 0).key] == Item("b", 1))
        store.take(.synced)
        #expect(store.takeChangeTexts() == ["b: 1→none", "c: none→1"])
    }

    @Test func aRelistThatStartsAgainForgetsItsFirstHalf() {
        var store = ObjectStore<Item>()
        store.take(.restarted, .applied(Item("a", 1)), .restarted, .applied(Item("b", 1)), .synced)
        #expect(store.takeChangeTexts() == ["b: none→1"])
    }

    /// Random events against a plain model: what is in force, and that the changes taken lead from one look to the next.
    @Test(arguments: 0..<50)
    func randomEvents(seed: UInt64) {
        var random = SplitMix(state: seed)
        var store = ObjectStore<Item>()
        var model: [ObjectKey: Item] = [:]
        var list: [ObjectKey: Item]? = [:]
        var followed: [ObjectKey: Item] = [:]
        store.apply(.restarted)
        for _ in 0..<400 {
            let name = String(UnicodeScalar(UInt8(ascii: "a") + UInt8.random(in: 0..<6, using: &random)))
            let item = Item(name, Int.random(in: 0..<3, using: &random))
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                store.apply(.restarted)
                list = [:]
            case 1, 2:
                store.apply(.synced)
                if let finished = list { model = finished }
                list = nil
            case 3..<7:
                store.apply(.deleted(item.key))
                if list == nil { model[item.key] = nil } else { list?[item.key] = nil }
            case 7..<11:
                for change in store.takeChanges() {
                    #expect(change.old == followed[change.key])
                    #expect(change.old != change.new)
                    followed[change.key] = change.new
                }
                if store.hasSynced { #expect(followed == model) }
            default:
                store.apply(.applied(item))
                if list == nil { model[item.key] = item } else { list?[item.key] = item }
            }
            #expect(store.objects == model)
        }
    }
}

/// SplitMix64, so that a failing seed fails again.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
