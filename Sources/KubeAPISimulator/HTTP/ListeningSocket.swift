import Glibc
import TestKit

/// Where the server listens.
struct ListeningAddress: Hashable, Sendable {
    /// An IPv4 or IPv6 literal without brackets.
    var host: String
    var port: UInt16

    var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

enum ListeningSocket {
    /// Opens a listening socket; port 0 lets the kernel choose.
    /// - Parameter listens: false for one that only keeps the port from others: whoever connects is refused.
    static func open(_ address: ListeningAddress, listens: Bool = true) throws -> (descriptor: CInt, port: UInt16) {
        let isSix = address.host.contains(":")
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(isSix ? AF_INET6 : AF_INET, type, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        var one: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        var four = sockaddr_in()
        var six = sockaddr_in6()
        func failure(_ call: String) -> SystemError {
            let error = SystemError("\(call) \(address.text)")
            close(descriptor)
            return error
        }
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = address.port.bigEndian
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = address.port.bigEndian
        let parsed = isSix ? inet_pton(AF_INET6, address.host, &six.sin6_addr) : inet_pton(AF_INET, address.host, &four.sin_addr)
        guard parsed == 1 else {
            close(descriptor)
            throw SystemError("read the address \(address.host)", code: EINVAL)
        }
        let bound =
            isSix
            ? withUnsafeBytes(of: &six) {
                bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
            }
            : withUnsafeBytes(of: &four) {
                bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
            }
        guard bound == 0 else { throw failure("bind") }
        guard !listens || listen(descriptor, 1024) == 0 else { throw failure("listen on") }
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let named = withUnsafeMutableBytes(of: &storage) {
            getsockname(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, &length)
        }
        guard named == 0 else { throw failure("getsockname of") }
        // The port is at the same place in both families.
        return (descriptor, UInt16(bigEndian: storage.sin6_port))
    }
}
