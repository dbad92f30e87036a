import Testing
import Transport

@Suite struct SocketAddressTests {
    @Test(arguments: ["0.0.0.0:18000", "127.0.0.1:0", "[::]:8080", "[::1]:65535", "[fe80::1:2]:1"])
    func parsesAndPrints(text: String) throws {
        #expect(try SocketAddress(text).description == text)
    }

    @Test(arguments: [
        "", ":", "127.0.0.1", "127.0.0.1:", ":18000", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[::1]", "[]:80",
        "[127.0.0.1]:80",
        "localhost:80", "127.0.0.1.:80", "[::1:80",
    ])
    func refuses(text: String) {
        #expect(throws: SocketAddress.ParseError.self) { try SocketAddress(text) }
    }

    @Test func showsMappedAddressesAsIPv4() throws {
        #expect(try SocketAddress("[::ffff:10.0.0.1]:80").description == "10.0.0.1:80")
    }
}
