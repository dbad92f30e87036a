import GRPC
import Testing

@Suite struct StatusMessageTests {
    @Test(arguments: [
        ("", ""), ("plain text ~", "plain text ~"), ("100%", "100%25"), ("a\nb", "a%0Ab"), ("\u{7F}", "%7F"), ("é", "%C3%A9"),
        ("📞", "%F0%9F%93%9E"),
    ])
    func encodes(message: String, encoded: String) {
        #expect(StatusMessage.encode(message) == encoded)
    }

    @Test func cutsLongMessagesBetweenCharacters() {
        let encoded = StatusMessage.encode("x" + String(repeating: "é", count: 5000))
        #expect(encoded.utf8.count <= StatusMessage.maximumEncodedLength)
        #expect(encoded.utf8.count > StatusMessage.maximumEncodedLength - 6)
        #expect(encoded.hasSuffix("%C3%A9"))
    }

    @Test func trailersCarryCodeAndMessage() {
        let fields = ResponseFields.trailers(Status(.notFound, "no such thing"))
        #expect(fields.map(\.name) == ["grpc-status", "grpc-message"])
        #expect(fields.map(\.value) == ["5", "no such thing"])
        #expect(ResponseFields.trailers(.ok).map(\.value) == ["0"])
        #expect(ResponseFields.trailersOnly(.ok).map(\.value) == ["200", "application/grpc", "0"])
    }
}
