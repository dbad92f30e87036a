/// One label: a key and its value.
public struct LabelPair: Hashable, Comparable, Sendable {
    /// The label's key.
    public let key: String
    /// The label's value.
    public let value: String

    /// Makes the pair `key=value`.
    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    public static func < (left: LabelPair, right: LabelPair) -> Bool {
        (left.key, left.value) < (right.key, right.value)
    }
}

/// A non-empty set of labels, **all** of which a pod must carry to be selected.
public struct LabelSelector: Hashable, Sendable, CustomStringConvertible {
    /// The required labels, sorted, each key once.
    public let pairs: [LabelPair]

    /// Makes a selector of `labels`; nil when there is none, because an empty selector would select every pod.
    public init?(labels: [String: String]) {
        guard !labels.isEmpty else { return nil }
        pairs = labels.map { LabelPair(key: $0.key, value: $0.value) }.sorted()
    }

    /// Whether `labels` carries every pair of the selector.
    public func matches(_ labels: [String: String]) -> Bool {
        pairs.allSatisfy { labels[$0.key] == $0.value }
    }

    public var description: String {
        pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}

/// A label selector together with the namespace in which it selects.
public struct ScopedSelector: Hashable, Sendable, CustomStringConvertible {
    /// The namespace whose pods can be selected; nil selects across namespaces.
    public let namespace: String?
    /// The labels that a pod must carry.
    public let selector: LabelSelector

    /// Makes `selector` select in `namespace`, or everywhere when that is nil.
    public init(namespace: String?, selector: LabelSelector) {
        self.namespace = namespace
        self.selector = selector
    }

    /// Whether a pod of `namespace` with `labels` is selected.
    public func matches(namespace podNamespace: String, labels: [String: String]) -> Bool {
        (namespace == nil || namespace == podNamespace) && selector.matches(labels)
    }

    public var description: String {
        namespace.map { "\($0)/\(selector)" } ?? "*/\(selector)"
    }
}
