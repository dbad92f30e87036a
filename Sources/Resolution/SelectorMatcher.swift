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

    /// A pod's place in `members`: listed under each of its labels, a pod takes four bytes instead of a key's 32.
    private typealias Index = Int32

    private struct Member {
        let pod: ObjectKey
        let labels: [String: String]
        var selectors: Set<ScopedSelector>
    }

    private struct Entry {
        let anchor: ScopedLabel
        var pods: Set<ObjectKey>
    }

    private var indices: [ObjectKey: Index] = [:]
    /// Nil at the places in `vacancies`.
    private var members: [Member?] = []
    private var vacancies: [Index] = []
    private var entries: [ScopedSelector: Entry] = [:]
    private var selectorsByAnchor: [ScopedLabel: Set<ScopedSelector>] = [:]
    private var podsByLabel: [ScopedLabel: Set<Index>] = [:]
    private let crossesNamespaces: Bool

    /// - Parameter crossesNamespaces: whether selectors select in every namespace; all of them do, or none.
    init(crossesNamespaces: Bool) { self.crossesNamespaces = crossesNamespaces }

    /// The pods that a known selector matches.
    func pods(matching selector: ScopedSelector) -> Set<ObjectKey> { entries[selector]?.pods ?? [] }

    /// The known selectors that a pod matches.
    func selectors(matching pod: ObjectKey) -> Set<ScopedSelector> { member(pod)?.selectors ?? [] }

    /// Adds a selector; returns the pods that it matches.
    mutating func insert(_ selector: ScopedSelector) -> Set<ObjectKey> {
        if let entry = entries[selector] { return entry.pods }
        let labels = selector.selector.pairs.map { ScopedLabel(namespace: selector.namespace, pair: $0) }
        guard let rarest = labels.min(by: { (podsByLabel[$0]?.count ?? 0) < (podsByLabel[$1]?.count ?? 0) }),
            let anchor = labels.min(by: { (selectorsByAnchor[$0]?.count ?? 0) < (selectorsByAnchor[$1]?.count ?? 0) })
        else { return [] }
        var pods: Set<ObjectKey> = []
        for index in podsByLabel[rarest] ?? [] {
            guard let member = members[Int(index)], selector.selector.matches(member.labels) else { continue }
            members[Int(index)]?.selectors.insert(selector)
            pods.insert(member.pod)
        }
        entries[selector] = Entry(anchor: anchor, pods: pods)
        selectorsByAnchor[anchor, default: []].insert(selector)
        return pods
    }

    /// Removes a selector; returns the pods that it matched.
    mutating func remove(_ selector: ScopedSelector) -> Set<ObjectKey> {
        guard let entry = entries.removeValue(forKey: selector) else { return [] }
        selectorsByAnchor[entry.anchor]?.remove(selector)
        if selectorsByAnchor[entry.anchor]?.isEmpty == true { selectorsByAnchor[entry.anchor] = nil }
        for pod in entry.pods {
            if let index = indices[pod] { members[Int(index)]?.selectors.remove(selector) }
        }
        return entry.pods
    }

    /// Adds a pod or changes its labels; returns the selectors that match it now but did not, and the reverse.
    mutating func set(_ pod: ObjectKey, labels: [String: String]) -> (gained: Set<ScopedSelector>, lost: Set<ScopedSelector>) {
        let before = member(pod)
        if before?.labels == labels { return ([], []) }
        let index = place(pod)
        for label in scopedLabels(pod, before?.labels ?? [:]) where labels[label.pair.key] != label.pair.value {
            unlist(index, label)
        }
        let scoped = scopedLabels(pod, labels)
        for label in scoped { podsByLabel[label, default: []].insert(index) }
        let candidates = scoped.flatMap { selectorsByAnchor[$0] ?? [] }
        let selectors = Set(candidates.filter { $0.selector.matches(labels) })
        members[Int(index)] = Member(pod: pod, labels: labels, selectors: selectors)
        let old = before?.selectors ?? []
        let gained = selectors.subtracting(old)
        let lost = old.subtracting(selectors)
        for selector in gained { entries[selector]?.pods.insert(pod) }
        for selector in lost { entries[selector]?.pods.remove(pod) }
        return (gained, lost)
    }

    /// Removes a pod; returns the selectors that matched it.
    mutating func remove(_ pod: ObjectKey) -> Set<ScopedSelector> {
        guard let index = indices.removeValue(forKey: pod), let member = members[Int(index)] else { return [] }
        for label in scopedLabels(pod, member.labels) { unlist(index, label) }
        members[Int(index)] = nil
        vacancies.append(index)
        for selector in member.selectors { entries[selector]?.pods.remove(pod) }
        return member.selectors
    }

    private func member(_ pod: ObjectKey) -> Member? { indices[pod].flatMap { members[Int($0)] } }

    /// The pod's place, a new one for a new pod.
    private mutating func place(_ pod: ObjectKey) -> Index {
        if let index = indices[pod] { return index }
        let index = vacancies.popLast() ?? Index(members.count)
        if index == members.count { members.append(nil) }
        indices[pod] = index
        return index
    }

    private func scopedLabels(_ pod: ObjectKey, _ labels: [String: String]) -> [ScopedLabel] {
        let namespace = crossesNamespaces ? nil : pod.namespace
        return labels.map { ScopedLabel(namespace: namespace, pair: LabelPair(key: $0.key, value: $0.value)) }
    }

    private mutating func unlist(_ index: Index, _ label: ScopedLabel) {
        podsByLabel[label]?.remove(index)
        if podsByLabel[label]?.isEmpty == true { podsByLabel[label] = nil }
    }
}
