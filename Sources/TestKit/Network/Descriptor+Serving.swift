import CLinux
import Glibc

extension Descriptor {
    /// Answers every waiting datagram with what `answer` makes of it, and returns how many there were.
    func answerAll(_ answer: ([UInt8]) -> [UInt8]) -> Int {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var count = 0
        while true {
            var peer = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let sent = withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer -> Bool in
                    let size = recvfrom(number, &buffer, buffer.count, 0, peer, &length)
                    guard size >= 0 else { return false }
                    let bytes = answer(Array(buffer.prefix(size)))
                    sendto(number, bytes, bytes.count, 0, peer, length)
                    return true
                }
            }
            guard sent else { return count }
            count += 1
        }
    }

    /// Accepts every waiting connection and closes it.
    func acceptAndClose() {
        while case let connection = accept(number, nil, nil), connection >= 0 {
            close(connection)
        }
    }
}
