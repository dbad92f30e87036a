import Glibc
import Synchronization

/// Ports and loopback addresses that no other test or demo of this machine uses at the same time.
///
/// An Envoy shares a UDP port silently with another Envoy (`SO_REUSEPORT`), so a free port is not enough: each reservation is one of 200 numbered blocks,
/// held by an abstract Unix socket that the kernel releases with the process.
public final class LoopbackReservation: Sendable {
    private static let portsPerBlock: UInt16 = 90
    private static let firstPort: UInt16 = 12_000
    private static let blocks = 1...200

    private let number: Int
    private let held: Descriptor
    private let nextPort = Mutex<UInt16>(0)

    /// Reserves a block.
    ///
    /// - Throws: `SystemError` when all are taken.
    public init() throws {
        // Starting at different places saves tries when several processes run.
        let offset = Int(getpid())
        for step in Self.blocks {
            let number = (offset + step) % Self.blocks.count + 1
            if let held = try? Self.hold(number) {
                self.number = number
                self.held = held
                return
            }
        }
        throw SystemError("reserve ports", code: EADDRINUSE)
    }

    /// The loopback address number `index` (1–250) of the reservation.
    public func address(_ index: Int) -> String {
        "127.\(100 + number / 100).\(number % 100 + 1).\(index)"
    }

    /// The next port of the reservation that is free for UDP and TCP on every address; below the ephemeral range.
    public func port() throws -> UInt16 {
        let base = Self.firstPort + UInt16(number - 1) * Self.portsPerBlock
        while let offset = nextPort.withLock({ next -> UInt16? in
            defer { next += 1 }
            return next < Self.portsPerBlock ? next : nil
        }) {
            let candidate = SocketAddress("0.0.0.0", base + offset)
            if (try? Descriptor.udp(boundTo: candidate)) != nil, (try? Descriptor.tcp(listeningOn: candidate)) != nil {
                return candidate.port
            }
        }
        throw SystemError("find a free port in \(base)–\(base + Self.portsPerBlock - 1)", code: EADDRINUSE)
    }

    /// The next `count` ports.
    public func ports(_ count: Int) throws -> [UInt16] {
        try (0..<count).map { _ in try port() }
    }

    private static func hold(_ number: Int) throws -> Descriptor {
        let socket = try Descriptor(
            Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0), "socket")
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array("\0xds-operator-testkit-\(number)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket.number, $0, length) }
        }
        guard result == 0 else { throw SystemError("reserve block \(number)") }
        return socket
    }
}
