import Domain

/// Makes one source of the watches of several namespaces: `restarted` once, `synced` once when all are complete; later lists of a
/// namespace become the changes that they tell, so that they delete only what vanished there.
public struct NamespaceMerge<Object: KeyedObject>: Sendable {
    private struct Namespace: Sendable {
        /// What was told to exist.
        var known: Set<ObjectKey> = []
        /// What the list being told has named so far; nil between lists.
        var listed: Set<ObjectKey>?
        var hasSynced = false
    }

    private var namespaces: [String: Namespace]

    /// Makes a merge of the watches of `namespaces`, of which none has told anything.
    public init(namespaces: [String]) {
        self.namespaces = Dictionary(namespaces.map { ($0, Namespace()) }) { first, _ in first }
    }

    /// What the merged source says first.
    public func begin() -> [WatchEvent<Object>] { [.restarted] }

    /// What the merged source says when the watch of `namespace` says `event`.
    public mutating func events(of event: WatchEvent<Object>, from namespace: String) -> [WatchEvent<Object>] {
        guard var state = namespaces.removeValue(forKey: namespace) else { return [] }
        defer { namespaces[namespace] = state }
        switch event {
        case .restarted:
            state.listed = []
            return []
        case .applied(let object):
            state.known.insert(object.key)
            state.listed?.insert(object.key)
            return [event]
        case .deleted(let key):
            state.listed?.remove(key)
            return state.known.remove(key) == nil ? [] : [event]
        case .synced:
            var result: [WatchEvent<Object>] = []
            if let listed = state.listed {
                result = state.known.subtracting(listed).sorted().map { .deleted($0) }
                state.known = listed
                state.listed = nil
            }
            let others = namespaces.values.allSatisfy(\.hasSynced)
            if !state.hasSynced, others { result.append(.synced) }
            state.hasSynced = true
            return result
        }
    }
}
