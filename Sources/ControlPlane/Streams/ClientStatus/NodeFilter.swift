import EnvoyAPI

/// Which Envoys a client status request is about: those whose node id one of the patterns fits.
struct NodeFilter: Sendable {
    /// A pattern of a node id.
    struct Pattern: Sendable {
        enum Kind: Sendable {
            case exact
            case prefix
            case suffix
            case contains
        }

        let kind: Kind
        let text: String
        let ignoresCase: Bool

        func fits(_ nodeID: String) -> Bool {
            let nodeID = ignoresCase ? nodeID.lowercased() : nodeID
            return switch kind {
            case .exact: nodeID == text
            case .prefix: nodeID.hasPrefix(text)
            case .suffix: nodeID.hasSuffix(text)
            case .contains: text.isEmpty || nodeID.contains(text)
            }
        }
    }

    /// Why matchers can't be honoured, for the person who sent them.
    struct Unsupported: Error {
        let message: String
    }

    private static let limit = 256
    /// No pattern stands for all Envoys.
    let patterns: [Pattern]

    /// One node id, or all.
    init(exact nodeID: String?) { patterns = nodeID.map { [Pattern(kind: .exact, text: $0, ignoresCase: false)] } ?? [] }

    init(_ matchers: [Envoy_Type_Matcher_V3_NodeMatcher]) throws(Unsupported) {
        guard matchers.count <= Self.limit else { throw Unsupported(message: "at most \(Self.limit) node_matchers are taken") }
        var patterns: [Pattern] = []
        for matcher in matchers {
            guard matcher.nodeMetadatas.isEmpty else {
                throw Unsupported(message: "node_metadatas can't be matched, since node metadata is not kept: match node_id")
            }
            let ignoresCase = matcher.nodeID.ignoreCase
            let (kind, text): (Pattern.Kind, String) =
                switch matcher.nodeID.matchPattern {
                case .exact(let text): (.exact, text)
                case .prefix(let text): (.prefix, text)
                case .suffix(let text): (.suffix, text)
                case .contains(let text): (.contains, text)
                case nil: throw Unsupported(message: "node_id is matched by exact, prefix, suffix or contains: give one of these")
                }
            patterns.append(Pattern(kind: kind, text: ignoresCase ? text.lowercased() : text, ignoresCase: ignoresCase))
        }
        self.patterns = patterns
    }

    func includes(_ nodeID: String) -> Bool { patterns.isEmpty || patterns.contains { $0.fits(nodeID) } }
}
