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
    ///
    /// At each word's beginning only names are looked up that could end there: the text is read once, however many names there are.
    static func culprits(among names: [String], in message: String) -> [String] {
        let text = Array(message.utf8.prefix(limit))
        let candidates = Dictionary(names.map { (Array($0.utf8)[...], $0) }, uniquingKeysWith: { first, _ in first })
        let lengths = Set(names.map(\.utf8.count)).subtracting([0]).sorted(by: >)
        var found: Set<String> = []
        var position = 0
        while position < text.count {
            guard !isNameByte(text, at: position - 1) else {
                position += 1
                continue
            }
            let word = lengths.lazy.filter { position + $0 <= text.count && !isNameByte(text, at: position + $0) }
                .compactMap { candidates[text[position..<position + $0]] }.first
            if let word { found.insert(word) }
            position += max(1, word?.utf8.count ?? 1)
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
