/// Where a client stands in the parts of one type.
struct ReachedPositions {
    var updates: Position?
    var removals: Position?
}

/// A response that the client has neither acknowledged nor rejected.
struct SentResponse {
    /// What it carried, for the case that it is rejected.
    enum Content {
        case step(Step)
        case own(resources: [EncodedResource], removed: [String])
    }

    let nonce: String
    let content: Content
    /// Where the client stands once it has acknowledged this response, and all before it.
    let reached: ReachedPositions

    var resources: [EncodedResource] {
        switch content {
        case .step(let step): step.carried
        case .own(let resources, _): resources
        }
    }

    var removed: [String] {
        switch content {
        case .step(let step): step.carriedRemovals
        case .own(_, let removed): removed
        }
    }

    var names: [String] { resources.map(\.name) + removed }
}

/// Finds which of a rejected response's resources a client's message blames.
enum RejectionMessage {
    /// Bytes of a message that are looked at; a client's text is outside input.
    private static let limit = 16_384

    /// The names that stand in `message` as words of their own. Where one name contains another, the longer one counts.
    static func culprits(among names: [String], in message: String) -> [String] {
        let text = Array(message.utf8.prefix(limit))
        var taken = [Bool](repeating: false, count: text.count)
        var found: [String] = []
        for name in Set(names).sorted(by: { ($0.utf8.count, $0) > ($1.utf8.count, $1) }) where !name.isEmpty {
            let word = Array(name.utf8)
            var position = 0
            var isFound = false
            while let range = text.range(of: word, from: position) {
                position = range.upperBound
                let isWord = !isNameByte(text, at: range.lowerBound - 1) && !isNameByte(text, at: range.upperBound)
                guard isWord, !taken[range.lowerBound] else { continue }
                for index in range { taken[index] = true }
                isFound = true
            }
            if isFound { found.append(name) }
        }
        return found.sorted()
    }

    /// Whether the message says that another listener has the address: the listener is right once its rival is gone.
    static func isAddressConflict(_ message: String) -> Bool {
        Array(message.utf8.prefix(limit)).range(of: Array("duplicate address".utf8), from: 0) != nil
    }

    private static func isNameByte(_ text: [UInt8], at index: Int) -> Bool {
        guard text.indices.contains(index) else { return false }
        switch text[index] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            return true
        default: return false
        }
    }
}

extension [UInt8] {
    fileprivate func range(of word: [UInt8], from start: Int) -> Range<Int>? {
        guard let first = word.first, count >= word.count, start <= count - word.count else { return nil }
        for index in start...(count - word.count) where self[index] == first {
            if self[index..<index + word.count].elementsEqual(word) { return index..<index + word.count }
        }
        return nil
    }
}
