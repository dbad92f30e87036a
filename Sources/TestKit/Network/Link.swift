import CNamespaces
import Glibc

/// A cable between two network namespaces: a TUN device in each, whose packets a thread carries, late and with losses if told so.
///
/// It stands in for the kernel's `netem`, which is not built into every kernel.
public final class Link: Sendable {
    /// How the cable treats packets.
    public struct Quality: Sendable {
        /// Whether it carries anything; neither end is told.
        public var isWhole = true
        /// How late a packet is, each way.
        public var delay = Duration.zero
        /// The share of packets that is lost, each way, from 0 to 1.
        public var loss = 0.0

        /// A cable without faults.
        public init() {}
    }

    /// The address of the near end.
    public let near: String
    /// The address of the far end.
    public let far: String
    private let traffic = Observed(LinkTraffic())
    private let thread: PollThread

    /// Lays a cable from this process's namespace to `namespace`, on the network 10.`number`.0.0/24, for the two alone.
    public convenience init(to namespace: NetworkNamespace, number: UInt8 = 123) async throws {
        let end = try Descriptor(namespaces_open_tun("near\(number)"), "make a TUN device")
        try await self.init(end, namespace, number) { try await NetworkNamespace.run(["/usr/bin/env"] + $0) }
    }

    /// Lays a cable from `origin` to `namespace`.
    public convenience init(from origin: NetworkNamespace, to namespace: NetworkNamespace, number: UInt8) async throws {
        try await self.init(try await origin.tun("near\(number)"), namespace, number) { try await origin.run($0) }
    }

    private init(
        _ nearEnd: Descriptor, _ namespace: NetworkNamespace, _ number: UInt8, configure: ([String]) async throws -> Void
    ) async throws {
        near = "10.\(number).0.1"
        far = "10.\(number).0.2"
        let farEnd = try await namespace.tun("far\(number)")
        try await configure(["ip", "address", "add", "\(near)/24", "dev", "near\(number)"])
        try await configure(["ip", "link", "set", "near\(number)", "up"])
        try await namespace.run(["ip", "address", "add", "\(far)/24", "dev", "far\(number)"])
        try await namespace.run(["ip", "link", "set", "far\(number)", "up"])
        let (traffic, ends) = (traffic, [nearEnd, farEnd])
        thread = try PollThread(
            descriptors: ends,
            readable: { index in
                var buffer = [UInt8](repeating: 0, count: 65_536)
                while true {
                    let count = Glibc.read(ends[index].number, &buffer, buffer.count)
                    guard count > 0 else { return }
                    let bytes = Array(buffer[..<count])
                    traffic.update { $0.carry(bytes, to: 1 - index, now: .now) }
                }
            },
            tick: {
                let (due, wait) = traffic.update { $0.takeDue(now: .now) }
                for packet in due { _ = Glibc.write(ends[packet.end].number, packet.bytes, packet.bytes.count) }
                return wait
            })
    }

    /// Changes how it treats packets sent from now on.
    public func set(_ change: @escaping @Sendable (inout Quality) -> Void) {
        traffic.update { change(&$0.quality) }
    }
}

/// What is on a cable.
private struct LinkTraffic: Sendable {
    struct Packet: Sendable {
        let due: ContinuousClock.Instant
        /// The end that it leaves by.
        let end: Int
        let bytes: [UInt8]
    }

    var quality = Link.Quality()
    /// In the order of sending: a cable overtakes nothing.
    private var packets: [Packet] = []
    /// The same losses in every run.
    private var random: UInt64 = 42

    mutating func carry(_ bytes: [UInt8], to end: Int, now: ContinuousClock.Instant) {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let draw = Double(random >> 11) / Double(1 << 53)
        guard quality.isWhole, draw >= quality.loss else { return }
        packets.append(Packet(due: now + quality.delay, end: end, bytes: bytes))
    }

    /// Takes what arrives by now, and tells when to look again.
    mutating func takeDue(now: ContinuousClock.Instant) -> (due: [Packet], wait: Duration?) {
        let count = packets.firstIndex { $0.due > now } ?? packets.count
        let due = Array(packets.prefix(count))
        packets.removeFirst(count)
        return (due, packets.first.map { $0.due - now })
    }
}
