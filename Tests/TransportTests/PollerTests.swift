import CLinux
import Glibc
import Testing

@testable import Transport

@Suite struct PollerTests {
    private final class Handler: DescriptorHandler {
        func ready(_ readiness: Readiness) {}
    }

    @Test func reportsReadiness() throws {
        var poller = try Poller()
        let handler = Handler()
        let descriptor = eventfd(0, 0)
        defer { close(descriptor) }
        let registration = try poller.register(descriptor, .readable, handler)
        #expect(poller.wait(milliseconds: 0) == 0)
        poller.modify(registration, [.readable, .writable])
        #expect(poller.wait(milliseconds: 0) == 1)
        let event = poller.event(at: 0)
        #expect(event?.readiness == .writable)
        #expect(event?.handler === handler)
    }

    @Test func anEventOutlivedByItsRegistrationFindsNobody() throws {
        var poller = try Poller()
        let descriptors = (0..<2).map { _ in eventfd(1, 0) }
        defer { for descriptor in descriptors { close(descriptor) } }
        let first = try poller.register(descriptors[0], .readable, Handler())
        let second = try poller.register(descriptors[1], .readable, Handler())
        #expect(poller.wait(milliseconds: 0) == 2)

        // The handler of one event deregisters both, and a newcomer takes a slot over.
        poller.deregister(first)
        poller.deregister(second)
        let newcomer = eventfd(1, 0)
        defer { close(newcomer) }
        let handler = Handler()
        _ = try poller.register(newcomer, .readable, handler)
        #expect(poller.event(at: 0)?.handler === nil)
        #expect(poller.event(at: 1)?.handler === nil)

        #expect(poller.wait(milliseconds: 0) == 1)
        #expect(poller.event(at: 0)?.handler === handler)
        // Old names do nothing.
        poller.deregister(second)
        #expect(poller.wait(milliseconds: 0) == 1)
    }
}
