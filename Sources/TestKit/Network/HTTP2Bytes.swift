/// The first bytes of an HTTP/2 client (RFC 9113, section 3.4).
public enum HTTP2Bytes {
    /// The connection preface.
    public static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// SETTINGS without any.
    public static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
}
