/// What a client that does not speak HTTP/2 seems to speak instead, for the log.
struct PrefaceGuess: CustomStringConvertible {
    let description: String

    init(_ bytes: UnsafeRawBufferPointer) {
        let methods = ["GET ", "PUT ", "POST ", "HEAD ", "DELETE ", "OPTIONS ", "CONNECT ", "PATCH ", "TRACE "]
        if bytes.starts(with: [0x16, 0x03]) {
            description = "a TLS handshake arrived where plaintext HTTP/2 is spoken: turn TLS off in the client"
        } else if methods.contains(where: { bytes.starts(with: $0.utf8) }) {
            description = "an HTTP/1 request arrived where gRPC is spoken: use HTTP/2 with prior knowledge"
        } else {
            description = "the connection does not begin with the HTTP/2 preface"
        }
    }
}
