/// Connections whose handshakes can go on, in the order in which they do.
///
/// Those that have cost something already go before those that have not: with more of them than can be done before their time is up,
/// none would be done at all otherwise. But every fourth turn is for those that have not, whatever the others do. Among either, networks
/// take turns, so that one that floods the port holds up its own.
struct HandshakeQueue<Address: Hashable, Element> {
    private var begun = FairQueue<Address, Element>()
    private var new = FairQueue<Address, Element>()
    private var turn: UInt = 0

    var isEmpty: Bool { begun.isEmpty && new.isEmpty }

    mutating func append(_ element: Element, of address: Address, hasBegun: Bool) {
        if hasBegun { begun.append(element, of: address) } else { new.append(element, of: address) }
    }

    mutating func popFirst() -> Element? {
        turn &+= 1
        return turn % 4 == 0 ? new.popFirst() ?? begun.popFirst() : begun.popFirst() ?? new.popFirst()
    }
}
