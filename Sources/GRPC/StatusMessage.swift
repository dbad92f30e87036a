/// The encoding of `grpc-message` (gRPC over HTTP/2, "Percent-Encoded").
public enum StatusMessage {
    /// The longest encoded message in bytes: trailers must stay well below the header limits of clients and proxies (8 KiB).
    public static let maximumEncodedLength = 4096

    /// Percent-encodes what is not printable ASCII, and cuts the result at the longest length, never inside a character.
    public static func encode(_ message: String) -> String {
        var encoded: [UInt8] = []
        for scalar in message.unicodeScalars {
            var piece: [UInt8] = []
            for byte in UTF8.encode(scalar).map(Array.init) ?? [] {
                if (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%") {
                    piece.append(byte)
                } else {
                    piece += [UInt8(ascii: "%"), digit(byte >> 4), digit(byte & 0xF)]
                }
            }
            guard encoded.count + piece.count <= maximumEncodedLength else { break }
            encoded += piece
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
