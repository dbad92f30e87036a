/// Header blocks by HPACK's plainest means (RFC 7541): the static table and literals that are not indexed.
enum HeaderBlock {
    static func request(path: String, authority: String, scheme: String) -> [UInt8] {
        var block: [UInt8] = [0x83]  // :method POST
        block.append(scheme == "https" ? 0x87 : 0x86)
        block.append(0x04)  // :path
        block.appendText(path)
        block.append(0x01)  // :authority
        block.appendText(authority)
        block += [0x0F, 0x10]  // content-type, index 31
        block.appendText("application/grpc")
        block.append(0x00)
        block.appendText("te")
        block.appendText("trailers")
        return block
    }
}

extension [UInt8] {
    /// A string literal without Huffman coding (RFC 7541 section 5.2).
    fileprivate mutating func appendText(_ text: String) {
        if text.utf8.count < 0x7F {
            append(UInt8(text.utf8.count))
        } else {
            append(0x7F)
            appendVarint(UInt64(text.utf8.count - 0x7F))
        }
        append(contentsOf: text.utf8)
    }
}
