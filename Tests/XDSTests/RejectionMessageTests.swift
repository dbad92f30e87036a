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

    /// The words of Envoy 1.36.2 and 1.40.0, about listeners whose names are words of Envoy's.
    @Test(arguments: [
        ("Error adding/updating listener(s) listener: cannot bind '0.0.0.0:5000': Address already in use\n", ["listener"]),
        (
            "Error adding/updating listener(s) held: cannot bind '0.0.0.0:5000': Address already in use\n"
                + "address: error adding listener: 'address' has duplicate address '0.0.0.0:5001' as existing listener, to check if the "
                + "listener has duplicated addresses with other listeners or 'enable_reuse_port' is set to 'false' for the listener\n",
            ["address", "held"]
        ),
        ("duplicate name t found among added/updated resources", ["t"]),
        ("Error adding/updating listener(s) t: duplicate listener t found\n", ["t"]),
    ])
    func onlyTheSubjectsOfComplaintsAreBlamed(message: String, expected: [String]) {
        let names = ["address", "existing", "held", "listener", "other", "t"]
        #expect(RejectionMessage.culprits(among: names, in: message) == expected)
    }

    @Test func aDuplicateAddressIsTheFaultOfTwo() {
        #expect(RejectionMessage.isAddressConflict("a: cannot bind '0.0.0.0:5000': Address already in use"))
        #expect(RejectionMessage.isAddressConflict("error adding listener: 'x' has duplicate address '0.0.0.0:5000'"))
        #expect(!RejectionMessage.isAddressConflict("duplicate listener same found"))
    }
}
