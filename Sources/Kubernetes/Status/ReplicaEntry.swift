/// What one replica of the operator knows of the Envoys connected to it: its entry in `status.replicas`.
public struct ReplicaEntry: Hashable, Sendable {
    /// The replica.
    public var name: String
    /// The generation of the spec that the counts speak of.
    public var observedGeneration: Int64
    /// Envoys that are connected to it and selected.
    public var matchedEnvoys: Int
    /// Of these, how many have acknowledged the generation.
    public var programmedEnvoys: Int
    /// Of these, how many reject it.
    public var rejectedEnvoys: Int
    /// The words of one that rejects it; empty when none does.
    public var message: String

    /// Makes an entry.
    public init(
        name: String, observedGeneration: Int64, matchedEnvoys: Int, programmedEnvoys: Int, rejectedEnvoys: Int = 0,
        message: String = ""
    ) {
        self.name = name
        self.observedGeneration = observedGeneration
        self.matchedEnvoys = matchedEnvoys
        self.programmedEnvoys = programmedEnvoys
        self.rejectedEnvoys = rejectedEnvoys
        self.message = message.prefix(scalars: ReplicaEntry.longestMessage)
    }

    /// The most characters of `message` that the schema takes.
    static let longestMessage = 4096
}

extension String {
    /// At most `count` Unicode scalars from the front: what JSON Schema's `maxLength` counts.
    func prefix(scalars count: Int) -> String {
        guard utf8.count > count, let end = unicodeScalars.index(startIndex, offsetBy: count, limitedBy: endIndex), end < endIndex
        else { return self }
        return String(unicodeScalars[..<unicodeScalars.index(before: end)]) + "…"
    }

    /// At most `count` bytes of UTF-8 from the front, cut between scalars.
    func prefix(bytes count: Int) -> String {
        guard utf8.count > count else { return self }
        let mark = "…"
        var kept = ""
        var size = mark.utf8.count
        for scalar in unicodeScalars {
            size += UTF8.width(scalar)
            guard size <= count else { break }
            kept.unicodeScalars.append(scalar)
        }
        return kept + mark
    }
}
