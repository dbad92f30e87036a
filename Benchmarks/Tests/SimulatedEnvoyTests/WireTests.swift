import Testing

@testable import SimulatedEnvoy

@Test func fieldsAreReadAsTheyWereWritten() {
    var message: [UInt8] = []
    message.appendField(1, 300)
    message.appendField(2, "name".utf8)
    message.appendField(3, [])
    message.withUnsafeBytes { bytes in
        var reader = WireReader(bytes)
        guard case (1, .number(300))? = reader.next(), case (2, .bytes(let text))? = reader.next() else {
            Issue.record("the fields are not there")
            return
        }
        #expect(text.elementsEqual("name".utf8))
        #expect(reader.next() == nil)
        #expect(!reader.isMalformed)
    }
}

@Test(arguments: [[0x0A, 5, 1], [0x08, 0x80], [0x0F], [0x09, 1, 2]] as [[UInt8]])
func truncatedMessagesAreMalformed(bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
        var reader = WireReader(bytes)
        #expect(reader.next() == nil)
        #expect(reader.isMalformed)
    }
}
