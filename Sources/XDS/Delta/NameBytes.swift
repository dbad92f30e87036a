/// What the names take that a client makes a stream keep. Counted when asked, name by name.
extension DeltaTypeState {
    func nameByteCount(nameCost: Int) -> Int {
        let lists = retries.reduce(0) { $0 + $1.nameByteCount(nameCost: nameCost) }
        return subscription.nameByteCount(nameCost: nameCost) + owed.nameByteCount(nameCost: nameCost)
            + refreshed.nameByteCount(nameCost: nameCost) + (held?.nameByteCount(nameCost: nameCost) ?? 0) + lists
            + droppedMeanwhile.nameByteCount(nameCost: nameCost) + doubted.nameByteCount(nameCost: nameCost)
            + rejections.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + nameCost }
    }
}

extension DeltaSubscription {
    func nameByteCount(nameCost: Int) -> Int {
        names.nameByteCount(nameCost: nameCost) + (missing?.nameByteCount(nameCost: nameCost) ?? 0)
            + untold.nameByteCount(nameCost: nameCost)
    }
}

extension HeldResources {
    func nameByteCount(nameCost: Int) -> Int { versions.keys.nameByteCount(nameCost: nameCost) }
}

extension Collection<String> {
    /// Bytes of all texts, and `nameCost` for each.
    func nameByteCount(nameCost: Int) -> Int { reduce(0) { $0 + $1.utf8.count + nameCost } }
}
