/// Finds which of a rejected response's resources a client's message blames.
///
/// Envoy 1.36 to 1.40 write `Error adding/updating listener(s) NAME: reason`, then `NAME: reason` on lines of their own, and the same of
/// clusters with commas between; reasons may speak of other listeners. `duplicate name NAME found among …` has no such form.
enum RejectionMessage {
    /// Bytes of a message that are looked at; a client's text is outside input.
    private static let limit = 16_384

    /// The names that begin a complaint of `message`; if none does, those that stand in it as words of their own. Where one name contains
    /// another, the longer one counts.
    ///
    /// At each word's beginning only names are looked up that could end there: the text is read once, however many names there are.
    static func culprits(among names: [String], in message: String) -> [String] {
        let text = Array(message.utf8.prefix(limit))
        let candidates = Dictionary(names.map { (Array($0.utf8)[...], $0) }, uniquingKeysWith: { first, _ in first })
        let lengths = Set(names.map(\.utf8.count)).subtracting([0]).sorted(by: >)
        var found: Set<String> = []
        var subjects: Set<String> = []
        var position = 0
        while position < text.count {
            guard !isNameByte(text, at: position - 1) else {
                position += 1
                continue
            }
            let word = lengths.lazy.filter { position + $0 <= text.count && !isNameByte(text, at: position + $0) }
                .compactMap { candidates[text[position..<position + $0]] }.first
            if let word {
                found.insert(word)
                if isSubject(text, position, length: word.utf8.count) { subjects.insert(word) }
            }
            position += max(1, word?.utf8.count ?? 1)
        }
        return (subjects.isEmpty ? found : subjects).sorted()
    }

    /// Whether the message says that another listener or another process has the address: the listener is right once its rival is gone.
    static func isAddressConflict(_ message: String) -> Bool {
        let text = Array(message.utf8.prefix(limit))
        return ["duplicate address", "Address already in use"].contains { text.range(of: Array($0.utf8), from: 0) != nil }
    }

    /// Whether the word at `start` is what a complaint is about: it begins the message or a line, or follows `(s) ` or a comma, and a
    /// colon follows it.
    private static func isSubject(_ text: [UInt8], _ start: Int, length: Int) -> Bool {
        guard text[(start + length)...].starts(with: Array(": ".utf8)) else { return false }
        return start == 0 || text[start - 1] == UInt8(ascii: "\n")
            || [Array("(s) ".utf8), Array(", ".utf8)].contains { text[..<start].suffix($0.count).elementsEqual($0) }
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
