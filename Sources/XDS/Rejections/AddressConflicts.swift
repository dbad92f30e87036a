/// Listeners that were rejected because somebody else had their address, and when each is tried again: whenever the client has taken in a
/// change, for it may have been the rival that went or moved. The rival may also be one that never goes, such as a listener of the
/// bootstrap or another process: after each failure a listener sits out twice as many changes as before. And since a process leaves its
/// port without any change, all are tried again after a pause, too.
struct AddressConflicts {
    /// Beyond 2,048 changes the pause grows no more.
    private static let maximumAttempts = 12

    /// A listener that is being tried again. Until the client takes it, it is rejected as it was.
    struct Trial {
        /// The bytes that are tried.
        let version: Digest
        /// The client's words at its last rejection.
        let message: String
    }

    private var entries: [String: (attempts: Int, changesLeft: Int)] = [:]
    /// Those that are being tried again, by name.
    private(set) var trials: [String: Trial] = [:]

    /// Whether there are none.
    var isEmpty: Bool { entries.isEmpty }

    /// The listener was rejected, perhaps again.
    mutating func note(_ name: String) {
        let attempts = min((entries[name]?.attempts ?? 0) + 1, Self.maximumAttempts)
        entries[name] = (attempts, 1 << (attempts - 1))
        trials[name] = nil
    }

    /// The listener is sent once more.
    mutating func begin(_ name: String, _ trial: Trial) { trials[name] = trial }

    /// The listener has no conflict any more, or is another one now.
    mutating func forget(_ name: String) {
        entries[name] = nil
        trials[name] = nil
    }

    /// The client has taken in a change; returns the listeners of `rejected` whose turn it is, sorted.
    mutating func changeWasTaken<Value>(among rejected: [String: Value]) -> [String] {
        var due: [String] = []
        for (name, entry) in entries {
            guard trials[name] == nil else { continue }
            guard rejected[name] != nil else {
                // Taken, or gone.
                entries[name] = nil
                continue
            }
            entries[name]?.changesLeft = entry.changesLeft - 1
            if entry.changesLeft <= 1 { due.append(name) }
        }
        return due.sorted()
    }

    /// A pause has passed; returns all listeners that are among `rejected`, sorted.
    func pauseElapsed<Value>(among rejected: [String: Value]) -> [String] {
        entries.keys.filter { rejected[$0] != nil }.sorted()
    }
}
