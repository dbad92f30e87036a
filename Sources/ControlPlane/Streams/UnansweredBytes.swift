import DequeModule

/// Bytes of the last responses sent, as many as are not answered. Nearly always that is one, which needs no storage.
struct UnansweredBytes {
    private var oldest: Int?
    private var others: Deque<Int> = []
    /// All of them.
    private(set) var sum = 0

    /// A response of `byteCount` bytes was sent.
    mutating func append(_ byteCount: Int) {
        sum += byteCount
        if oldest == nil { oldest = byteCount } else { others.append(byteCount) }
    }

    /// Only the last `count` are not answered.
    mutating func keep(last count: Int) {
        while let byteCount = oldest, others.count + 1 > count {
            sum -= byteCount
            oldest = others.popFirst()
        }
        if others.isEmpty { others = [] }  // an idle stream keeps no storage
    }
}
