import GRPC

enum FramedMessages {
    private static let limit = 1 << 16

    /// However the bytes are cut, the same messages come out of them; framed again, they are what was read.
    static func run(_ bytes: [UInt8]) {
        let input = Array(bytes.dropFirst())
        let whole = messages(CollectionOfOne(input))
        let cut = messages(Pieces(bytes))
        expect(whole.messages == cut.messages && whole.failed == cut.failed, "cutting changes what is read")
        expect(whole.messages.allSatisfy { $0.count <= limit }, "a message exceeds the limit")
        let framed = whole.messages.flatMap { MessageFraming.prefix(length: $0.count) + $0 }
        expect(input.starts(with: framed), "messages differ from what was read")
    }

    private static func messages(_ pieces: some Sequence<[UInt8]>) -> (messages: [[UInt8]], failed: Bool) {
        var deframer = MessageDeframer(maximumMessageSize: limit)
        var messages: [[UInt8]] = []
        for piece in pieces {
            var rest = piece[...]
            do {
                while let message = try deframer.next(from: &rest) { messages.append(message) }
            } catch {
                return (messages, true)
            }
            expect(rest.isEmpty, "bytes are left over")
            expect(deframer.bufferedByteCount <= limit, "more is held than a message may have")
        }
        return (messages, false)
    }
}
