/// How far the Envoys of one group are, kept so that counting those who have an object takes no walk over all of them.
struct GroupStanding {
    private struct Envoy {
        /// The revision that all its streams have acknowledged; nil while there is none.
        var reached: Revision?
        var isRejecting = false
    }

    private var envoys: [String: Envoy] = [:]
    /// How many Envoys have reached a revision and no later one. Envoys in step share one; there are as many entries as laggards differ.
    private var counts: [Revision: Int] = [:]
    /// The node ids of Envoys that reject something.
    private(set) var rejecting: Set<String> = []

    /// Envoys that follow the group.
    var count: Int { envoys.count }
    var isEmpty: Bool { envoys.isEmpty }

    /// Envoys that have reached `revision`.
    func count(reaching revision: Revision) -> Int { counts.reduce(0) { $1.key >= revision ? $0 + $1.value : $0 } }

    /// Whether the Envoy has reached `revision`.
    func has(_ nodeID: String, reached revision: Revision) -> Bool { envoys[nodeID]?.reached.map { $0 >= revision } ?? false }

    /// Takes in how far an Envoy is.
    mutating func set(_ nodeID: String, reached: Revision?, isRejecting: Bool) {
        let before = envoys.updateValue(Envoy(reached: reached, isRejecting: isRejecting), forKey: nodeID)
        move(from: before?.reached, to: reached)
        if isRejecting { rejecting.insert(nodeID) } else if before?.isRejecting == true { rejecting.remove(nodeID) }
    }

    /// The Envoy has left.
    mutating func remove(_ nodeID: String) {
        move(from: envoys.removeValue(forKey: nodeID)?.reached, to: nil)
        rejecting.remove(nodeID)
    }

    private mutating func move(from old: Revision?, to new: Revision?) {
        guard old != new else { return }
        if let old {
            let left = (counts[old] ?? 1) - 1
            counts[old] = left > 0 ? left : nil
        }
        if let new { counts[new, default: 0] += 1 }
    }
}
