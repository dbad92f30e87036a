import Kubernetes
import Yams

/// One document of a YAML or JSON text.
///
/// Documents are told apart by their `---` lines before anything is parsed, so that a fault in one does not hide the others.
struct YAMLDocument {
    /// What is wrong with a document that can't be read, and in which line.
    struct Fault: Error, Equatable {
        let line: Int
        let message: String
    }

    /// The line of the text with which the document begins, from 1.
    let line: Int
    /// The values of the document: none when it is blank, several only when they are separated by `...`.
    let values: Result<[FieldValue], Fault>

    /// The documents of `text`.
    static func documents(of text: String) -> [YAMLDocument] {
        var documents: [YAMLDocument] = []
        var part = Part(line: 1)
        // By bytes: to Swift, a carriage return with a line feed is one character.
        for (index, bytes) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let line = Substring(bytes)
            if isSeparator(line) {
                documents += part.document.map { [$0] } ?? []
                part = Part(line: index + 1)
            }
            part.append(line)
        }
        return documents + (part.document.map { [$0] } ?? [])
    }

    private static func isSeparator(_ line: Substring) -> Bool {
        let bytes = line.utf8
        guard bytes.starts(with: "---".utf8) else { return false }
        return bytes.dropFirst(3).first.map { " \t\r".utf8.contains($0) } ?? true
    }

    /// The lines of a document being collected.
    private struct Part {
        let line: Int
        private var text = ""
        private var hasContent = false

        init(line: Int) { self.line = line }

        mutating func append(_ part: Substring) {
            text += part
            text += "\n"
            let trimmed = part.utf8.drop { " \t\r".utf8.contains($0) }
            if let first = trimmed.first, first != UInt8(ascii: "#"), first != UInt8(ascii: "%") { hasContent = true }
        }

        /// Nil when there are only blank lines, comments and directives.
        var document: YAMLDocument? {
            hasContent ? YAMLDocument(line: line, values: YAMLReader(text: text, firstLine: line).values()) : nil
        }
    }
}

/// Reads one document by Yams and turns its nodes into field values with lines.
private struct YAMLReader {
    let text: String
    let firstLine: Int

    func values() -> Result<[FieldValue], YAMLDocument.Fault> {
        do {
            try refuseAliases()
            // No rules of the resolver: it would match seven regular expressions on every key.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            var values: [FieldValue] = []
            while let root = try parser.nextRoot() {
                let value = try fieldValue(root, depth: 0)
                if value.kind != .null { values.append(value) }
            }
            return .success(values)
        } catch let fault as YAMLDocument.Fault {
            return .failure(fault)
        } catch let error as YamlError {
            return .failure(fault(error))
        } catch {
            return .failure(YAMLDocument.Fault(line: firstLine, message: "is not valid YAML: \(error)"))
        }
    }

    // MARK: - Aliases

    /// Throws when an alias refers to an anchor. A few lines of nested aliases stand for more values than any memory holds,
    /// and Yams walks them when they are keys. Looks at the bare text, so that it errs towards refusing.
    private func refuseAliases() throws {
        let bytes = Array(text.utf8)
        let anchors = Set(names(after: UInt8(ascii: "&"), in: bytes).map(\.name))
        guard !anchors.isEmpty else { return }
        if let alias = names(after: UInt8(ascii: "*"), in: bytes).first(where: { anchors.contains($0.name) }) {
            let name = String(decoding: alias.name, as: UTF8.self)
            throw YAMLDocument.Fault(
                line: firstLine + alias.line,
                message: "uses the YAML alias *\(name): aliases are not supported, write the value out")
        }
    }

    private func names(after indicator: UInt8, in bytes: [UInt8]) -> [(name: ArraySlice<UInt8>, line: Int)] {
        var result: [(ArraySlice<UInt8>, Int)] = []
        var line = 0
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == indicator else { continue }
            let name = bytes[(index + 1)...].prefix(64).prefix { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            if !name.isEmpty { result.append((name, line)) }
        }
        return result
    }

    // MARK: - Nodes

    private func fieldValue(_ node: Node, depth: Int) throws -> FieldValue {
        let line = node.mark.map { $0.line + firstLine - 1 }
        guard depth <= FieldValue.maximumDepth else {
            throw YAMLDocument.Fault(
                line: line ?? firstLine, message: "is nested deeper than \(FieldValue.maximumDepth) levels")
        }
        switch node {
        case .scalar(let scalar): return FieldValue(try kind(scalar, line: line), line: line)
        case .sequence(let sequence):
            return FieldValue(.array(try sequence.map { try fieldValue($0, depth: depth + 1) }), line: line)
        case .mapping(let mapping):
            let members = try mapping.map { key, value in
                guard let name = key.scalar else {
                    throw YAMLDocument.Fault(line: line ?? firstLine, message: "has a list or map as a key")
                }
                return FieldObject.Member(
                    key: name.string, line: name.mark.map { $0.line + firstLine - 1 },
                    value: try fieldValue(value, depth: depth + 1))
            }
            return FieldValue(.object(FieldObject(members)), line: line)
        case .alias:
            throw YAMLDocument.Fault(line: line ?? firstLine, message: "uses a YAML alias: write the value out")
        }
    }

    private func kind(_ scalar: Node.Scalar, line: Int?) throws -> FieldValue.Kind {
        switch scalar.tag.description {
        case "" where scalar.style == .plain: return PlainScalar.kind(of: scalar.string)
        case "", "tag:yaml.org,2002:str", "!": return .string(scalar.string)
        default:
            throw YAMLDocument.Fault(line: line ?? firstLine, message: "has a YAML tag: write the value without it")
        }
    }

    // MARK: - Faults

    private func fault(_ error: YamlError) -> YAMLDocument.Fault {
        let (line, message): (Int, String)
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            (line, message) = (mark.line, problem)
        case .reader(let problem, let offset, _, _):
            (line, message) = (1 + text.prefix(offset ?? 0).count { $0.isNewline }, problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            // So Yams calls lists and maps. It knows no order among them: which comes first, and so the line, is another each time.
            guard !duplicates.contains("<uncovertable>") else {
                return YAMLDocument.Fault(line: firstLine, message: "has a list or map as a key")
            }
            let names = duplicates.map { $0.prefix(64) }.joined(separator: ", ")
            return YAMLDocument.Fault(line: context.mark.line + firstLine - 1, message: "has a key twice in one map: \(names)")
        default: (line, message) = (1, "it can't be parsed")
        }
        return YAMLDocument.Fault(line: line + firstLine - 1, message: "is not valid YAML: \(message)")
    }
}
