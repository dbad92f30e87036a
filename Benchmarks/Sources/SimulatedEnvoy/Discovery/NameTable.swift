/// Names and versions by their 64-bit FNV-1a hash, so that thousands of streams hold 8 bytes for each instead of a string.
public final class NameTable {
    private var texts: [UInt64: [UInt8]] = [:]

    /// Makes an empty table.
    public init() {}

    /// The hash of a text, which the table remembers.
    func intern(_ text: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        if texts[hash] == nil { texts[hash] = Array(text) }
        return hash
    }

    /// The text of a hash that `intern` returned.
    func text(_ hash: UInt64) -> [UInt8] { texts[hash] ?? [] }
}
