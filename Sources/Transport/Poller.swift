import CLinux
import Glibc

/// What a descriptor is ready for.
package struct Readiness: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let readable = Readiness(rawValue: 1)
    package static let writable = Readiness(rawValue: 2)
}

/// What an event loop tells when its descriptor is ready.
package protocol DescriptorHandler: AnyObject, Sendable {
    /// Called on the loop. An error or hang-up counts as ready for both: the next system call tells what happened.
    nonisolated func ready(_ readiness: Readiness)
}

/// Names one registration of a descriptor. The generation tells it from earlier ones in the same slot.
package struct Registration: Hashable, Sendable {
    fileprivate let slot: UInt32
    fileprivate let generation: UInt32
}

/// The epoll instance of one loop; used on its thread only.
///
/// epoll's user data holds slot and generation instead of a pointer, so an event that was fetched before its descriptor was
/// deregistered finds nobody, even when the slot has a new owner.
struct Poller: ~Copyable {
    private struct Slot {
        var handler: (any DescriptorHandler)?
        var descriptor: CInt = -1
        var generation: UInt32 = 0
    }

    private let descriptor: CInt
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var events: [epoll_event]

    init(batchSize: Int = 256) throws(SystemError) {
        descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("epoll_create1") }
        events = Array(repeating: epoll_event(), count: batchSize)
    }

    deinit {
        close(descriptor)
    }

    mutating func register(
        _ descriptor: CInt, _ interest: Readiness, _ handler: any DescriptorHandler
    ) throws(SystemError) -> Registration {
        let slot = freeSlots.popLast() ?? UInt32(slots.count)
        if slot == slots.count { slots.append(Slot()) }
        let registration = Registration(slot: slot, generation: slots[Int(slot)].generation)
        var event = Self.event(registration, interest)
        guard epoll_ctl(self.descriptor, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            freeSlots.append(slot)
            throw SystemError("epoll_ctl")
        }
        slots[Int(slot)].handler = handler
        slots[Int(slot)].descriptor = descriptor
        return registration
    }

    func modify(_ registration: Registration, _ interest: Readiness) {
        guard let slot = liveSlot(registration) else { return }
        var event = Self.event(registration, interest)
        epoll_ctl(descriptor, EPOLL_CTL_MOD, slots[slot].descriptor, &event)
    }

    /// Call it before the descriptor is closed.
    mutating func deregister(_ registration: Registration) {
        guard let slot = liveSlot(registration) else { return }
        epoll_ctl(descriptor, EPOLL_CTL_DEL, slots[slot].descriptor, nil)
        slots[slot] = Slot(generation: registration.generation &+ 1)
        freeSlots.append(registration.slot)
    }

    /// Waits for events, at most `milliseconds` (-1: for ever), and returns how many there are.
    mutating func wait(milliseconds: CInt) -> Int {
        Int(max(0, epoll_wait(descriptor, &events, CInt(events.count), milliseconds)))
    }

    /// The handler of the event at `index` of the last batch, unless it has been deregistered since.
    func event(at index: Int) -> (handler: any DescriptorHandler, readiness: Readiness)? {
        let event = events[index]
        let registration = Registration(
            slot: UInt32(truncatingIfNeeded: event.data.u64), generation: UInt32(truncatingIfNeeded: event.data.u64 >> 32))
        guard let slot = liveSlot(registration), let handler = slots[slot].handler else { return nil }
        var readiness: Readiness = []
        if event.events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 { readiness.insert(.readable) }
        if event.events & EPOLLOUT.rawValue != 0 { readiness.insert(.writable) }
        if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { readiness = [.readable, .writable] }
        return (handler, readiness)
    }

    private func liveSlot(_ registration: Registration) -> Int? {
        let slot = Int(registration.slot)
        guard slots.indices.contains(slot), slots[slot].generation == registration.generation, slots[slot].handler != nil
        else { return nil }
        return slot
    }

    private static func event(_ registration: Registration, _ interest: Readiness) -> epoll_event {
        var event = epoll_event()
        if interest.contains(.readable) { event.events |= EPOLLIN.rawValue }
        if interest.contains(.writable) { event.events |= EPOLLOUT.rawValue }
        event.data.u64 = UInt64(registration.generation) << 32 | UInt64(registration.slot)
        return event
    }
}
