import COpenSSL
import Glibc

/// What OpenSSL says of its last failure on this thread.
enum OpenSSLError {
    /// Takes the oldest error off the thread's queue, and empties it.
    static func take() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return "no reason given" }
        if let reason = ERR_reason_error_string(code) { return String(cString: reason) }
        return "error \(String(code, radix: 16))"
    }
}

/// Bytes as OpenSSL reads them.
enum PEM {
    /// Calls `body` with a source of `bytes`, which it must not keep.
    static func withSource<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) throws -> Result) rethrows -> Result? {
        try bytes.withUnsafeBytes { bytes in
            guard let source = BIO_new_mem_buf(bytes.baseAddress, CInt(clamping: bytes.count)) else { return nil }
            defer { BIO_free(source) }
            return try body(source)
        }
    }

    /// Calls `body` with each certificate in `bytes`, which keeps none of them without a reference of its own, and returns their number; nil
    /// when one of them cannot be read.
    static func forEachCertificate(_ bytes: [UInt8], _ body: (_ certificate: OpaquePointer, _ index: Int) -> Bool) -> Int? {
        let count = withSource(bytes) { source -> Int? in
            var index = 0
            while let certificate = PEM_read_bio_X509(source, nil, noPassphrase, nil) {
                defer { X509_free(certificate) }
                guard body(certificate, index) else { return nil }
                index += 1
            }
            // The end of the text shows as the want of a further begin line; anything else is a broken certificate.
            let code = ERR_peek_last_error()
            guard code == 0 || (code >> 23 == UInt(ERR_LIB_PEM) && code & 0x7FFFFF == UInt(PEM_R_NO_START_LINE)) else {
                return nil
            }
            ERR_clear_error()
            return index
        }
        return count ?? nil
    }

    /// The private key in `bytes`, which the caller frees; nil when there is none, or a passphrase protects it.
    static func privateKey(_ bytes: [UInt8]) -> OpaquePointer? {
        withSource(bytes) { PEM_read_bio_PrivateKey($0, nil, noPassphrase, nil) } ?? nil
    }

}

/// Gives OpenSSL no passphrase; without it, it would ask on the terminal.
private func noPassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: CInt, _ isForWriting: CInt, _ userData: UnsafeMutableRawPointer?
) -> CInt { -1 }
