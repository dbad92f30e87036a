import Testing

@testable import XDS

@Suite struct RejectionMessageTests {
    @Test(arguments: [
        ("Error adding/updating listener(s) call-1: malformed IP address: x", ["call-1"]),
        ("Error adding/updating listener(s) call-12: bad", ["call-12"]),
        ("Error adding/updating listener(s) call-1: bad\ncall-12: worse", ["call-1", "call-12"]),
        ("Error adding/updating cluster(s) a.b: bad", ["a.b"]),
        ("something else", []),
        ("", []),
    ])
    func theNamesThatTheMessageBlames(message: String, expected: [String]) {
        #expect(RejectionMessage.culprits(among: ["call-1", "call-12", "a", "a.b"], in: message) == expected)
    }

    @Test func aDuplicateAddressIsTheFaultOfTwo() {
        #expect(RejectionMessage.isAddressConflict("error adding listener: 'x' has duplicate address '0.0.0.0:5000'"))
        #expect(!RejectionMessage.isAddressConflict("duplicate listener same found"))
    }
}
