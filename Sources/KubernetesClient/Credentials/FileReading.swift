import FoundationEssentials
import Glibc

/// Reads small files by path.
enum FileReading {
    /// More than any token, certificate bundle or kubeconfig has.
    private static let limit = 4 << 20

    static func read(_ path: String) throws(ClusterConfigurationError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            let start = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: 16 << 10))
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + start }, buffer.count - start)
            }
            if count < 0, errno == EINTR {
                bytes.removeLast(bytes.count - start)
                continue
            }
            guard count >= 0 else { throw failure(path) }
            bytes.removeLast(bytes.count - start - count)
            if count == 0 { return bytes }
            guard bytes.count <= limit else { throw ClusterConfigurationError("\(path) is larger than \(limit) bytes") }
        }
    }

    private static func failure(_ path: String) -> ClusterConfigurationError {
        ClusterConfigurationError("can't read \(path): \(String(cString: strerror(errno)))")
    }

    /// The bytes of standard base64; nil when `text` is none.
    static func base64(_ text: String) -> [UInt8]? {
        Data(base64Encoded: text, options: .ignoreUnknownCharacters).map { [UInt8]($0) }
    }
}
