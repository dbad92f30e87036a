import CLinux
import Glibc

/// A bound TCP socket that listens.
///
/// It has one owner after the other: the server until it runs, then the listener, which closes it.
struct ListeningSocket: Sendable {
    let descriptor: CInt
    /// The address with the port the system chose.
    let address: SocketAddress

    init(binding address: SocketAddress) throws(SystemError) {
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        var on: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        let descriptor = descriptor
        guard address.bind(descriptor) == 0, listen(descriptor, SOMAXCONN) == 0 else {
            let error = SystemError("bind \(address)")
            Glibc.close(descriptor)
            throw error
        }
        self.address = SocketAddress.filled { getsockname(descriptor, $0, &$1) }.address ?? address
    }

    func close() {
        Glibc.close(descriptor)
    }
}
