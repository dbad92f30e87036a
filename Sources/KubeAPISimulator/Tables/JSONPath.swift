/// The JSONPath of printer columns: members, indexes, `[*]` and filters by equality.
struct JSONPath: Hashable, Sendable {
    private enum Step: Hashable, Sendable {
        case member(String)
        case index(Int)
        case all
        case filter([String], JSONValue)
    }

    private var steps: [Step] = []

    /// Parses `.status.conditions[?(@.type=="Ready")].status`; nil when it is beyond the subset.
    init?(_ text: String) {
        var rest = text.trimmed[...]
        if rest.hasPrefix("{") && rest.hasSuffix("}") { rest = rest.dropFirst().dropLast() }
        if rest.hasPrefix("$") { rest = rest.dropFirst() }
        while let first = rest.first {
            if first == "." {
                rest = rest.dropFirst()
                var name = ""
                while let character = rest.first, character != ".", character != "[" {
                    rest = rest.dropFirst()
                    // An escaped dot belongs to the name.
                    if character == "\\", let escaped = rest.popFirst() { name.append(escaped) } else { name.append(character) }
                }
                if name == "*" { steps.append(.all) } else if !name.isEmpty { steps.append(.member(name)) }
            } else if first == "[", let end = rest.firstIndex(of: "]") {
                guard let step = Self.bracket(rest[rest.index(after: rest.startIndex)..<end]) else { return nil }
                steps.append(step)
                rest = rest[rest.index(after: end)...]
            } else {
                return nil
            }
        }
    }

    private static func bracket(_ text: Substring) -> Step? {
        if text == "*" { return .all }
        if let index = Int(text) { return .index(index) }
        if let quote = text.first, quote == "'" || quote == "\"" { return .member(String(text.dropFirst().dropLast())) }
        guard text.hasPrefix("?("), text.hasSuffix(")") else { return nil }
        let sides = text.dropFirst(2).dropLast().split(separator: "=", omittingEmptySubsequences: true)
        guard sides.count == 2 else { return nil }
        let path = String(sides[0]).trimmed
        let value = String(sides[1]).trimmed
        guard path.hasPrefix("@.") else { return nil }
        let members = path.dropFirst(2).split(separator: ".").map(String.init)
        if value.hasPrefix("'") || value.hasPrefix("\"") {
            return .filter(members, .string(String(value.dropFirst().dropLast())))
        }
        return (try? JSONValue(parsing: value.utf8)).map { .filter(members, $0) }
    }

    /// What the path finds, in order.
    func values(in root: JSONValue) -> [JSONValue] {
        steps.reduce([root]) { found, step in
            found.flatMap { value -> [JSONValue] in
                switch step {
                case .member(let name): value[name].map { [$0] } ?? []
                case .index(let index): (value[index < 0 ? index + (value.elements?.count ?? 0) : index]).map { [$0] } ?? []
                case .all: value.elements ?? value.members.map { $0.sorted { $0.key < $1.key }.map(\.value) } ?? []
                case .filter(let path, let wanted):
                    (value.elements ?? []).filter { element in
                        path.reduce(Optional(element)) { $0?[$1] } == wanted
                    }
                }
            }
        }
    }

    /// The value at a plain path such as `status.phase`.
    static func plain(_ path: String, in root: JSONValue) -> JSONValue? {
        path.split(separator: ".").reduce(Optional(root)) { $0?[String($1)] }
    }
}
