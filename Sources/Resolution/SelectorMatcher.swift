import Domain

/// Which selectors match which pods, kept up as both come and go.
///
/// A selector waits under one of its labels, its anchor, so that a pod's labels lead to the few selectors worth checking; a pod is listed
/// under each of its labels, so that a new selector finds its pods through its rarest label. Nothing is found by walking all.
struct SelectorMatcher {
    private struct ScopedLabel: Hashable {
        let namespace: String?
        let pair: LabelPair
    }

    private struct Member {
        let labels: [String: String]
        var selectors: Set<ScopedSelector>
    }

    private struct Entry {
        let anchor: ScopedLabel
        var pods: Set<ObjectKey>
    }

    private var members: [ObjectKey: Member] = [:]
    private var entries: [ScopedSelector: Entry] = [:]
    private var selectorsByAnchor: [ScopedLabel: Set<ScopedSelector>] = [:]
    private var podsByLabel: [ScopedLabel: Set<ObjectKey>] = [:]
    private let crossesNamespaces: Bool

    /// - Parameter crossesNamespaces: whether selectors select in every namespace; all of them do, or none.
    init(crossesNamespaces: Bool) { self.crossesNamespaces = crossesNamespaces }

    /// The pods that a known selector matches.
    func pods(matching selector: ScopedSelector) -> Set<ObjectKey> { entries[selector]?.pods ?? [] }

    /// The known selectors that a pod matches.
    func selectors(matching pod: ObjectKey) -> Set<ScopedSelector> { members[pod]?.selectors ?? [] }

    /// Adds a selector; returns the pods that it matches.
    mutating func insert(_ selector: ScopedSelector) -> Set<ObjectKey> {
        if let entry = entries[selector] { return entry.pods }
        let labels = selector.selector.pairs.map { ScopedLabel(namespace: selector.namespace, pair: $0) }
        guard let rarest = labels.min(by: { (podsByLabel[$0]?.count ?? 0) < (podsByLabel[$1]?.count ?? 0) }),
            let anchor = labels.min(by: { (selectorsByAnchor[$0]?.count ?? 0) < (selectorsByAnchor[$1]?.count ?? 0) })
        else { return [] }
        let pods = (podsByLabel[rarest] ?? []).filter { selector.selector.matches(members[$0]?.labels ?? [:]) }
        entries[selector] = Entry(anchor: anchor, pods: pods)
        selectorsByAnchor[anchor, default: []].insert(selector)
        for pod in pods { members[pod]?.selectors.insert(selector) }
        return pods
    }

    /// Removes a selector; returns the pods that it matched.
    mutating func remove(_ selector: ScopedSelector) -> Set<ObjectKey> {
        guard let entry = entries.removeValue(forKey: selector) else { return [] }
        selectorsByAnchor[entry.anchor]?.remove(selector)
        if selectorsByAnchor[entry.anchor]?.isEmpty == true { selectorsByAnchor[entry.anchor] = nil }
        for pod in entry.pods { members[pod]?.selectors.remove(selector) }
        return entry.pods
    }

    /// Adds a pod or changes its labels; returns the selectors that match it now but did not, and the reverse.
    mutating func set(_ pod: ObjectKey, labels: [String: String]) -> (gained: Set<ScopedSelector>, lost: Set<ScopedSelector>) {
        let before = members[pod]
        if before?.labels == labels { return ([], []) }
        for label in scopedLabels(pod, before?.labels ?? [:]) where labels[label.pair.key] != label.pair.value {
            unlist(pod, label)
        }
        let scoped = scopedLabels(pod, labels)
        for label in scoped { podsByLabel[label, default: []].insert(pod) }
        let candidates = scoped.flatMap { selectorsByAnchor[$0] ?? [] }
        let selectors = Set(candidates.filter { $0.selector.matches(labels) })
        members[pod] = Member(labels: labels, selectors: selectors)
        let old = before?.selectors ?? []
        let gained = selectors.subtracting(old)
        let lost = old.subtracting(selectors)
        for selector in gained { entries[selector]?.pods.insert(pod) }
        for selector in lost { entries[selector]?.pods.remove(pod) }
        return (gained, lost)
    }

    /// Removes a pod; returns the selectors that matched it.
    mutating func remove(_ pod: ObjectKey) -> Set<ScopedSelector> {
        guard let member = members.removeValue(forKey: pod) else { return [] }
        for label in scopedLabels(pod, member.labels) { unlist(pod, label) }
        for selector in member.selectors { entries[selector]?.pods.remove(pod) }
        return member.selectors
    }

    private func scopedLabels(_ pod: ObjectKey, _ labels: [String: String]) -> [ScopedLabel] {
        let namespace = crossesNamespaces ? nil : pod.namespace
        return labels.map { ScopedLabel(namespace: namespace, pair: LabelPair(key: $0.key, value: $0.value)) }
    }

    private mutating func unlist(_ pod: ObjectKey, _ label: ScopedLabel) {
        podsByLabel[label]?.remove(pod)
        if podsByLabel[label]?.isEmpty == true { podsByLabel[label] = nil }
    }
}
