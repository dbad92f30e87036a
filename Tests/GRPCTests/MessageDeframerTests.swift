import GRPC
import Testing

@Suite struct MessageDeframerTests {
    private static let messages: [[UInt8]] = [[], [1], Array(repeating: 7, count: 300), [], [2, 3]]

    @Test(arguments: 1...20) func cutsMessagesWhateverTheSplit(pieceSize: Int) throws {
        let bytes = Self.messages.flatMap { MessageFraming.prefix(length: $0.count) + $0 }
        var deframer = MessageDeframer(maximumMessageSize: 300)
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: pieceSize) {
            var piece = bytes[start..<min(start + pieceSize, bytes.count)]
            while let message = try deframer.next(from: &piece) { found.append(message) }
            #expect(piece.isEmpty)
        }
        #expect(found == Self.messages)
        #expect(deframer.isAtBoundary)
        #expect(deframer.bufferedByteCount == 0)
    }

    struct BadPrefix: Sendable {
        let bytes: [UInt8]
        let failure: MessageDeframer.Failure
        let code: Status.Code
    }

    @Test(arguments: [
        BadPrefix(bytes: [1, 0, 0, 0, 0], failure: .compressed, code: .unimplemented),
        BadPrefix(bytes: [0x47, 0x45], failure: .unknownFlag(0x47), code: .internal),
        BadPrefix(bytes: [0, 0, 0, 1, 1], failure: .tooLarge(claimed: 257, limit: 256), code: .resourceExhausted),
        BadPrefix(
            bytes: [0, 0xFF, 0xFF, 0xFF, 0xFF], failure: .tooLarge(claimed: 4_294_967_295, limit: 256), code: .resourceExhausted),
    ])
    func refusesBadPrefixes(bad: BadPrefix) {
        var deframer = MessageDeframer(maximumMessageSize: 256)
        var bytes = bad.bytes[...]
        #expect(throws: bad.failure) { try deframer.next(from: &bytes) }
        #expect(bad.failure.status.code == bad.code)
    }

    @Test func holdsOnlyWhatHasArrived() throws {
        var deframer = MessageDeframer(maximumMessageSize: .max)
        var bytes: ArraySlice<UInt8> = [0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3]
        #expect(try deframer.next(from: &bytes) == nil)
        #expect(deframer.bufferedByteCount == 3)
        #expect(!deframer.isAtBoundary)
    }

    @Test func anUnfinishedPrefixIsNoBoundary() throws {
        var deframer = MessageDeframer(maximumMessageSize: 10)
        var bytes: ArraySlice<UInt8> = [0, 0]
        #expect(try deframer.next(from: &bytes) == nil)
        #expect(!deframer.isAtBoundary)
    }
}
