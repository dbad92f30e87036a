import DequeModule

/// Elements that wait, and whose turn it is: owners take turns, so that one who has many waits for them, and nobody else does.
struct FairQueue<Owner: Hashable, Element> {
    /// Owners of something, each once.
    private var turns: Deque<Owner> = []
    private var waiting: [Owner: Deque<Element>] = [:]

    var isEmpty: Bool { turns.isEmpty }

    mutating func append(_ element: Element, of owner: Owner) {
        waiting[owner, default: []].append(element)
        if waiting[owner]?.count == 1 { turns.append(owner) }
    }

    /// The first of the owner whose turn it is.
    mutating func popFirst() -> Element? {
        guard let owner = turns.popFirst(), let element = waiting[owner]?.popFirst() else { return nil }
        if waiting[owner]?.isEmpty == true { waiting[owner] = nil } else { turns.append(owner) }
        return element
    }
}
